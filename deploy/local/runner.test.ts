import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  pickPortOffset,
  type RunnerProcess,
  startRunnerProcess,
  temporaryDataDir,
  until,
} from "../../test/system/runner-process.ts";
import { takenPorts } from "./ports.ts";
import { commandLine, isAlive } from "./process-identity.ts";

const ports = [8080, 8090, 9001, 9002, 15432, 14222, 11025];

let dataDir: string;
let portOffset: number;
const running = new Set<RunnerProcess>();

// One data folder for all: making a database is the slow part of a first start.
beforeAll(async () => {
  dataDir = temporaryDataDir();
  portOffset = await pickPortOffset(ports);
});

afterEach(async () => {
  for (const runner of running) {
    runner.process.kill("SIGTERM");
    await runner.exited;
  }
  running.clear();
});

afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

function start(
  options: { args?: string[]; env?: NodeJS.ProcessEnv; offset?: number; data?: string } = {},
): RunnerProcess {
  const { args = [], env = {}, offset = portOffset, data = dataDir } = options;
  const runner = startRunnerProcess({
    entry: "test/system/stand-in/main.ts",
    dataDir: data,
    portOffset: offset,
    args,
    env,
  });
  running.add(runner);
  return runner;
}

async function portsInUse(): Promise<number> {
  return (await takenPorts(ports.map((port) => ({ name: "", port: port + portOffset })))).length;
}

test("starts servers, services and the edge, each with its own settings, and says where they are", async () => {
  const runner = start();
  const { edgeUrl, ports: places, pids } = await runner.ready;

  expect(Object.keys(pids).sort()).toEqual(["edge", "nats", "postgres", "reader", "shelf"]);
  const environment = await (await fetch(`http://127.0.0.1:${places.shelf}/environment`)).json();
  expect(environment).toMatchObject({
    WEFT_SERVICE: "shelf",
    PORT: String(places.shelf),
    DATABASE_URL: expect.stringMatching(
      `^postgres://weft_shelf:[^@]+@127.0.0.1:${places.postgres}/weft_shelf$`,
    ),
    NATS_URL: expect.stringMatching(`^nats://shelf:[^@]+@127.0.0.1:${places.nats}$`),
    WEFT_UPSTREAMS: `reader=https://127.0.0.1:${places.reader}`,
    LIBRARY_URL: edgeUrl,
  });
  await until("the text at the end", () => runner.output().includes(`the library is open at ${edgeUrl}`));
});

test("Ctrl-C ends everything with exit code 0 and leaves no process and no port", async () => {
  const runner = start();
  const { pids } = await runner.ready;

  runner.process.kill("SIGINT");
  expect(await runner.exited).toBe(0);

  expect(Object.values(pids).filter(isAlive)).toEqual([]);
  expect(await portsInUse()).toBe(0);
});

test("an interrupt while starting ends what was started by then", async () => {
  const runner = start();
  await until("PostgreSQL is up", () => runner.output().includes("✓ PostgreSQL"));
  runner.process.kill("SIGINT");
  expect(await runner.exited).toBe(0);
  expect(await portsInUse()).toBe(0);
});

test("a service that does not end is killed by a second Ctrl-C", async () => {
  const runner = start({ env: { STAND_IN_DEAF: "reader" } });
  const { pids } = await runner.ready;
  runner.process.kill("SIGINT");
  await until("the edge has ended", () => !isAlive(pids.edge!));
  await new Promise((resolve) => setTimeout(resolve, 600)); // sooner it would be the same key press
  runner.process.kill("SIGINT");
  expect(await runner.exited).toBe(130);
  await until("all have ended", () => Object.values(pids).every((pid) => !isAlive(pid)));
});

test("after kill -9 of the runner nothing stays, and the next start works on the same data and ports", async () => {
  const first = start();
  const { pids } = await first.ready;
  first.process.kill("SIGKILL");
  await first.exited;
  await until("all have ended", () => Object.values(pids).every((pid) => !isAlive(pid)));

  const second = start();
  await second.ready;
  expect(second.output()).not.toContain("✗");
});

test("a start ends what a killed runner left when its leash was killed too", async () => {
  const first = start();
  const { pids } = await first.ready;
  const leash = leashOf(first.process.pid!);
  process.kill(leash, "SIGKILL");
  first.process.kill("SIGKILL");
  await first.exited;
  expect(Object.values(pids).every(isAlive)).toBe(true);

  const second = start();
  await second.ready;
  expect(second.output()).toMatch(/cleaned up +(edge|nats|postgres|reader|shelf)/);
  expect(Object.values(pids).filter(isAlive)).toEqual([]);
});

test("a second start on the same data says where the first one is", async () => {
  const first = start();
  const { edgeUrl } = await first.ready;

  const second = start();
  expect(await second.exited).toBe(1);
  expect(second.output()).toContain(`already running: process ${first.process.pid}, at ${edgeUrl}`);
  expect(first.readyFile()).toBeDefined();
});

test("a port in use is named with its holder and the command that avoids it", async () => {
  const blocker = createServer().listen(8080 + portOffset, "127.0.0.1");
  try {
    const runner = start({ args: ["--single"] });
    expect(await runner.exited).toBe(1);
    expect(runner.output()).toContain(`port ${8080 + portOffset} (edge) is used by process ${process.pid}`);
    expect(runner.output()).toMatch(/WEFT_PORT_OFFSET=\d+ npm start -- .*--single/);
  } finally {
    blocker.close();
  }
});

test("a crashed service is started again, with a line about it", async () => {
  const runner = start();
  const { ports: places, pids } = await runner.ready;
  await fetch(`http://127.0.0.1:${places.shelf}/crash`).catch(() => {});

  await until("another process", () => (runner.readyFile()?.pids.shelf ?? pids.shelf) !== pids.shelf);
  expect(runner.output()).toContain("shelf ended (exit code 7); starting it again in 250 ms");
  expect((await fetch(`http://127.0.0.1:${places.shelf}/readyz`)).status).toBe(200);
});

test("killed servers come back on the same port", async () => {
  const runner = start();
  const { pids } = await runner.ready;
  for (const name of ["postgres", "nats"]) {
    process.kill(pids[name]!, "SIGKILL");
    await until(`${name} is back`, () => (runner.readyFile()?.pids[name] ?? pids[name]) !== pids[name]);
  }
});

test("a dashboard that cannot start is left out, and said to be", async () => {
  const runner = start({ env: { STAND_IN_DASHBOARD: "test/system/stand-in/none.ts" } });
  const { pids } = await runner.ready;
  expect(pids).not.toHaveProperty("dashboard");
  expect(runner.output()).toMatch(/^! no dashboard: it does not start: .*dashboard\.log$/m);
  await until("the text at the end", () => runner.output().includes("the library is open"));
});

test("a dashboard that ends is started again, and nothing else is", async () => {
  const runner = start({ env: { STAND_IN_DASHBOARD: "test/system/stand-in/process.ts" } });
  const { pids: before } = await runner.ready;
  process.kill(before.dashboard!, "SIGKILL");
  const after = await until("another dashboard runs", () => {
    const pids = runner.readyFile()?.pids;
    return pids?.dashboard !== undefined && pids.dashboard !== before.dashboard && pids;
  });
  expect({ ...after, dashboard: 0 }).toEqual({ ...before, dashboard: 0 });
});

test("a service that cannot start ends the start with the end of its log", async () => {
  const runner = start({ env: { STAND_IN_FAULT: "reader" } });
  expect(await runner.exited).toBe(1);
  expect(runner.output()).toMatch(
    /✗ reader does not start: exit code 3[\s\S]*the reason why it does not start/,
  );
  expect(await portsInUse()).toBe(0);
});

test("--single gives one process the settings of all", async () => {
  const runner = start({ args: ["--single"] });
  const { pids, ports: places } = await runner.ready;
  expect(Object.keys(pids).sort()).toEqual(["nats", "postgres", "single"]);
  for (const name of ["shelf", "reader", "edge"]) {
    const environment = await (await fetch(`http://127.0.0.1:${places[name]}/environment`)).json();
    expect(environment).toMatchObject({ WEFT_SERVICE: name });
  }
});

test("the system ends when the command that started it is killed", async () => {
  const launcher = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  const runner = start({ env: { WEFT_LAUNCHERS: String(launcher.pid) } });
  await runner.ready;
  launcher.kill("SIGKILL");
  expect(await runner.exited).toBe(0);
});

test("a wrong option ends it with the usage, and nothing is started", async () => {
  const runner = start({ args: ["--sinlge"] });
  expect(await runner.exited).toBe(1);
  expect(runner.output()).toMatch(/Unknown option '--sinlge'[\s\S]*usage: npm start/);
});

/** The leash is a child of the runner: found through the system's own list. */
function leashOf(runner: number): number {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandLine(pid).includes("leash.sh"))
    .filter((pid) => readFileSync(`/proc/${pid}/stat`, "utf8").includes(`) S ${runner} `));
  return children[0]!;
}
