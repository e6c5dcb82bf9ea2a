import { spawnSync } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  pickPortOffset,
  type RunnerProcess,
  startRunnerProcess,
  temporaryDataDir,
  until,
} from "../../../test/system/runner-process.ts";
import { isAlive } from "../process-identity.ts";
import { type Control, controlOf } from "./client.ts";
import { controlSocket } from "./socket-path.ts";

const ports = [8080, 9001, 9002, 9101, 9201, 15432, 14222, 11025];

let dataDir: string;
let runner: RunnerProcess;
let control: Control;

beforeAll(async () => {
  dataDir = temporaryDataDir();
  runner = startRunnerProcess({
    entry: "test/system/stand-in/main.ts",
    dataDir,
    portOffset: await pickPortOffset(ports),
    args: ["--replicas", "shelf=2"],
  });
  await runner.ready;
  control = controlOf(dataDir);
});

afterAll(async () => {
  runner.process.kill("SIGTERM");
  await runner.exited;
  rmSync(dataDir, { recursive: true, force: true });
});

const named = async (name: string) => (await control.list()).find((process) => process.name === name)!;
const environmentOf = async (port: number) =>
  (await fetch(`http://127.0.0.1:${port}/environment`)).json() as Promise<Record<string, string>>;

test("--replicas gives a service several processes, each with its own port, name and log", async () => {
  const names = (await control.list()).map(({ name }) => name);
  expect(names.toSorted()).toEqual(["edge", "nats", "postgres", "reader", "shelf", "shelf-2"]);
  const [first, second] = [await named("shelf"), await named("shelf-2")];
  expect(second).toMatchObject({ service: "shelf", replica: 2, state: "ready", port: first.port + 100 });
  expect(await environmentOf(second.port)).toMatchObject({
    WEFT_SERVICE: "shelf",
    WEFT_INSTANCE: "shelf-2",
    PORT: String(second.port),
  });
  expect(second.logFile).toMatch(/shelf-2\.log$/);
  expect(runner.readyFile()!.pids["shelf-2"]).toBe(second.pid);
});

test("a service is scaled up and down again", async () => {
  const three = await control.scale("shelf", 3);
  expect(three.map(({ name, state }) => [name, state])).toEqual([
    ["shelf", "ready"],
    ["shelf-2", "ready"],
    ["shelf-3", "ready"],
  ]);
  const last = three[2]!;
  expect(await environmentOf(last.port)).toMatchObject({ WEFT_INSTANCE: "shelf-3" });
  await control.scale("shelf", 2);
  expect(isAlive(last.pid!)).toBe(false);
  expect(await named("shelf-3")).toBeUndefined();
});

test("what is stopped stays stopped until it is started", async () => {
  const { pid } = await named("reader");
  expect(await control.stop("reader")).toMatchObject({ state: "stopped", pid: null });
  expect(isAlive(pid!)).toBe(false);
  await expect(control.kill("reader")).rejects.toThrow("reader is stopped");
  expect(await control.start("reader")).toMatchObject({ state: "ready", pid: expect.any(Number) });
  await expect(control.start("reader")).rejects.toThrow("reader is ready already");
});

test("a restart is another process; so is what comes after a kill", async () => {
  const before = await named("edge");
  const restarted = await control.restart("edge");
  expect(restarted).toMatchObject({ state: "ready", crashes: 0 });
  expect(restarted.pid).not.toBe(before.pid);

  await control.kill("edge");
  await until("another process", async () => {
    const { state, pid } = await named("edge");
    return state === "ready" && pid !== restarted.pid;
  });
  expect(await named("edge")).toMatchObject({ crashes: 1, lastEnd: "ended (signal SIGKILL)" });
});

test("who watches sees each change", async () => {
  const abort = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const list of control.watch(abort.signal)) {
      seen.push(list.find(({ name }) => name === "reader")!.state);
      if (seen.includes("stopped") && seen.at(-1) === "ready") abort.abort();
    }
  })();
  await until("the first line", () => seen.length > 0);
  await control.stop("reader");
  await until("the stop was seen", () => seen.includes("stopped"));
  await control.start("reader");
  await watching;
});

test.for([
  ["an unknown process", () => control.stop("nobody"), 'nothing called "nobody"'],
  ["replicas of a server", () => control.scale("postgres", 2), 'no service "postgres"'],
  ["no replica at all", () => control.scale("shelf", 0), "from 1 to 10"],
  ["too many replicas", () => control.scale("shelf", 11), "from 1 to 10"],
  ["another folder", () => controlOf("/nowhere").list(), "no runner works on this data folder"],
] as const)("%s is refused with the reason", async ([, command, reason]) => {
  await expect(command()).rejects.toThrow(reason);
});

test("nobody else may reach the socket, and curl can", () => {
  const { folder, path } = controlSocket(dataDir);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const { stdout } = spawnSync("curl", ["-s", "--unix-socket", path, "http://runner/processes"], {
    encoding: "utf8",
  });
  expect(JSON.parse(stdout).processes).toHaveLength(6);
});

test("a folder with too long a path has its socket elsewhere", () => {
  const { path } = controlSocket(`/${"deep/".repeat(30)}`);
  expect(path.length).toBeLessThan(104);
});
