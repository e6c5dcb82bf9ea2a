/** Each promise that is broken on purpose is reported, and nothing else is. */
import { expect, test } from "vitest";
import { checkInvariants } from "../harness/system-under-test.ts";
import { invariants } from "./invariants.ts";
import { breaches } from "./testdata/breaches.ts";
import { sound } from "./testdata/sound-run.ts";

test("a sound run is reported as sound", () => {
  expect(checkInvariants(invariants, sound())).toEqual([]);
});

test("a cancelled order may have been confirmed by mail only if it was confirmed", () => {
  const { mails, ...rest } = sound();
  const late = {
    ...rest,
    mails: mails.filter(({ orderId, kind }) => orderId !== "o3" || kind !== "confirmed"),
  };
  expect(checkInvariants(invariants, late)).toEqual([]);
});

test.for(breaches)("%s is reported", ([, invariant, says, change]) => {
  const evidence = sound();
  const found = checkInvariants(invariants, { ...evidence, ...change(evidence) });
  expect(found).toContainEqual({ invariant, detail: expect.stringContaining(says) });
});

test("every promise has a breach that it reports", () => {
  const tested = new Set(breaches.map(([, invariant]) => invariant));
  expect(invariants.map(({ name }) => name).filter((name) => !tested.has(name))).toEqual([]);
});

test("a check that cannot look is a breach", () => {
  const broken = { ...sound(), orders: undefined as never };
  expect(checkInvariants(invariants, broken).map(({ detail }) => detail)).toContainEqual(
    expect.stringContaining("could not be checked"),
  );
});
