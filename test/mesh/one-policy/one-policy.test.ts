import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findEnvoy } from "../envoy/find-envoy.ts";
import type { Enforcer } from "./enforcer.ts";
import { envoyEnforcer } from "./envoy-enforcer.ts";
import { type Expectation, expectations, OK, UNAVAILABLE } from "./expectations.ts";
import { processEnforcer } from "./process-enforcer.ts";

const envoy = findEnvoy();
const PROCESSES = "the processes themselves";
const enforcers: [name: string, skip: boolean, start: () => Promise<Enforcer>][] = [
  [PROCESSES, false, processEnforcer],
  [
    `generated sidecars of a real Envoy${envoy ? "" : " (skipped: none to be had)"}`,
    !envoy,
    () => envoyEnforcer(envoy!),
  ],
];

describe.each(enforcers)("by %s", (name, skip, start) => {
  let mesh: Enforcer;
  beforeAll(async () => {
    if (!skip) mesh = await start();
  });
  afterAll(() => mesh?.stop());

  const inProcess = name === PROCESSES;
  test.skipIf(skip).each(expectations)("$what", (row) => holds(mesh, row, inProcess));

  test.skipIf(skip)("a callee that fails too often is left alone, and its callers fail at once", async () => {
    await mesh.renew();
    do {
      mesh.answer(() => UNAVAILABLE);
      await Promise.all(Array.from({ length: 20 }, () => mesh.call("edge", "ClimbLadder")));
    } while (sum(mesh.heard("ClimbLadder")) > 0);
    mesh.answer(() => OK);
    expect(await mesh.call("edge", "ClimbLadder")).toBe(UNAVAILABLE);
    expect(sum(mesh.heard("ClimbLadder"))).toBe(0);
    expect(await mesh.call("edge", "AddBook"), "its other methods go on").toBe(OK);
  });

  test.skipIf(skip)("a replica that fails is ejected, the others go on", async () => {
    await mesh.renew();
    // Few at a time: who fails is quick and would get most of a crowd, which the breaker of the method would notice.
    const dust = () => Promise.all(Array.from({ length: 4 }, () => mesh.call("edge", "DustShelf")));
    let statuses: number[];
    do {
      mesh.answer((_call, replica) => (replica === 0 ? UNAVAILABLE : OK));
      statuses = [...(await dust()), ...(await dust()), ...(await dust()), ...(await dust())];
    } while (mesh.heard("DustShelf")[0]! > 0);
    expect(statuses).toEqual(Array(16).fill(OK));
    expect(mesh.heard("DustShelf")).toEqual([0, 16]);
  });
});

async function holds(mesh: Enforcer, row: Expectation, inProcess: boolean): Promise<void> {
  const { gives, heard } = inProcess ? { ...row, ...row.byProcesses } : row;
  await mesh.renew();
  mesh.answer(row.callee ?? (() => OK));
  const began = performance.now();
  const statuses = await Promise.all(Array.from({ length: row.calls ?? 1 }, () => made(mesh, row)));
  const took = performance.now() - began;
  expect(statuses.toSorted()).toEqual(gives.toSorted());
  expect(sum(mesh.heard(row.method))).toBe(heard);
  if (!row.takes) return;
  expect(took).toBeGreaterThan(row.takes[0]);
  expect(took).toBeLessThan(row.takes[1]);
}

async function made(mesh: Enforcer, { caller, knocks, method, seconds, token }: Expectation) {
  const call = () => {
    if (!knocks && (caller === "edge" || caller === "lending"))
      return mesh.call(caller, method, { seconds, token });
    return mesh.knock(caller === "nobody" ? undefined : caller, method, token);
  };
  return call().catch(() => "no connection" as const);
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
