import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../../../test/system/runner-process.ts";

/** The bootstrap in a checkout of its own, with an npm that "installs" a link to the Node of this test run. */
const root = join(import.meta.dirname, "../../..");
const platform = process.platform === "win32" ? "win" : process.platform;
const packagedNode = join("node_modules", `node-${platform}-${process.arch}`, "bin", "node");

let checkout: string;

beforeEach(() => {
  checkout = realpathSync(mkdtempSync(join(tmpdir(), "weft-bootstrap-")));
  cpSync(join(root, "bootstrap.mjs"), join(checkout, "bootstrap.mjs"));
  cpSync(import.meta.dirname, join(checkout, "deploy/local/bootstrap"), { recursive: true });
  write("package.json", '{ "name": "library", "type": "module" }');
  write("package-lock.json", '{ "packages": { "": {}, "node_modules/shelf": { "version": "1.0.0" } } }');
  write(
    "ask.ts",
    "const node: string = process.execPath; console.log(JSON.stringify({ node, args: process.argv.slice(2) }));",
  );
  npmDoes(installing);
});

afterEach(() => rmSync(checkout, { recursive: true, force: true }));

const installing = `
  fs.rmSync("node_modules", { recursive: true, force: true });
  fs.mkdirSync("${join(packagedNode, "..")}", { recursive: true });
  fs.symlinkSync(${JSON.stringify(process.execPath)}, "${packagedNode}");
`;

function write(file: string, text: string): void {
  writeFileSync(join(checkout, file), text);
}

/** Replaces npm by these statements; each call is noted in npm-calls. */
function npmDoes(statements: string): void {
  const note = 'fs.appendFileSync("npm-calls", process.argv.slice(2).join(" ") + "\\n");';
  mkdirSync(join(checkout, "npm"), { recursive: true });
  write("npm/package.json", '{ "type": "module" }');
  write("npm/npm-cli.js", `import fs from "node:fs";\n${note}\n${statements}`);
}

function npmCalls(): string[] {
  const file = join(checkout, "npm-calls");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

/** @param preload statements that run before the bootstrap, to make this Node look like another */
function bootstrap(
  args: string[],
  { preload = "", env = {} }: { preload?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const imported = preload ? ["--import", `data:text/javascript,${encodeURIComponent(preload)}`] : [];
  const child = spawn(process.execPath, [...imported, "bootstrap.mjs", ...args], {
    cwd: checkout,
    env: { ...process.env, npm_execpath: join(checkout, "npm/npm-cli.js"), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
  return { child, exited, output: () => output };
}

/** What the started program saw, out of the bootstrap's output. */
function answerIn(output: string): { node: string; args: string[] } {
  return JSON.parse(output.trim().split("\n").at(-1)!);
}

const asOlderNode = "process.execve = undefined;";

test.for([
  { node: "a Node that can replace itself", preload: "" },
  { node: "an older Node", preload: asOlderNode },
])("$node installs once, then runs the program on the packaged Node", async ({ preload }) => {
  const first = bootstrap(["run", "ask.ts", "--single", "a b"], { preload });
  expect(await first.exited).toBe(0);
  expect(first.output()).toContain("✓ packages installed");
  expect(answerIn(first.output())).toEqual({ node: process.execPath, args: ["--single", "a b"] });
  expect(npmCalls()).toEqual([
    expect.stringMatching(/^ci .*--include=dev --include=optional --ignore-scripts=false/),
  ]);

  const second = bootstrap(["run", "ask.ts"], { preload });
  expect(await second.exited).toBe(0);
  expect(npmCalls()).toHaveLength(1);
});

test("another lock file means installing again", async () => {
  await bootstrap(["run", "ask.ts"]).exited;
  write("package-lock.json", '{ "packages": { "": {}, "node_modules/shelf": { "version": "1.0.1" } } }');
  await bootstrap(["run", "ask.ts"]).exited;
  expect(npmCalls()).toHaveLength(2);
});

test("what npm itself installed in full counts as installed", async () => {
  npmDoes("throw new Error('not needed')");
  const lock = readFileSync(join(checkout, "package-lock.json"), "utf8");
  const node = join(checkout, packagedNode);
  mkdirSync(join(node, ".."), { recursive: true });
  writeFileSync(join(checkout, "node_modules/.package-lock.json"), lock);
  cpSync(process.execPath, node, { dereference: true });
  expect(await bootstrap(["run", "ask.ts"]).exited).toBe(0);
  expect(npmCalls()).toEqual([]);
});

test("an install that was interrupted is done again", async () => {
  npmDoes(`${installing} fs.writeFileSync("half", ""); setInterval(() => {}, 1000);`);
  const interrupted = bootstrap(["run", "ask.ts"]);
  await until("npm is at work", () => existsSync(join(checkout, "half")));
  interrupted.child.kill("SIGTERM");
  await interrupted.exited;

  npmDoes(installing);
  const again = bootstrap(["run", "ask.ts"]);
  expect(await again.exited).toBe(0);
  expect(again.output()).toContain("✓ packages installed");
});

test("several starts at once install once", async () => {
  npmDoes(`await new Promise((resolve) => setTimeout(resolve, 500)); ${installing}`);
  const all = Array.from({ length: 6 }, () => bootstrap(["run", "ask.ts"]));
  expect(await Promise.all(all.map(({ exited }) => exited))).toEqual([0, 0, 0, 0, 0, 0]);
  expect(npmCalls()).toHaveLength(1);
});

test("several starts at once take the lock of one that has died away, and install once", async () => {
  npmDoes(`await new Promise((resolve) => setTimeout(resolve, 500)); ${installing}`);
  mkdirSync(join(checkout, ".weft"), { recursive: true });
  write(".weft/npm-ci.pid", "999999999");
  const all = Array.from({ length: 6 }, () => bootstrap(["run", "ask.ts"]));
  expect(await Promise.all(all.map(({ exited }) => exited))).toEqual([0, 0, 0, 0, 0, 0]);
  expect(npmCalls()).toHaveLength(1);
  expect(readdirSync(join(checkout, ".weft")).filter((name) => name.startsWith("npm-ci"))).toEqual([]);
});

test("a lock without a name in it is being written, and abandoned only when that stays so", async () => {
  npmDoes(`fs.writeFileSync("began", String(Date.now())); ${installing}`);
  mkdirSync(join(checkout, ".weft"), { recursive: true });
  write(".weft/npm-ci.pid", "");
  const written = statSync(join(checkout, ".weft/npm-ci.pid")).mtimeMs;
  expect(await bootstrap(["run", "ask.ts"]).exited).toBe(0);
  expect(Number(readFileSync(join(checkout, "began"), "utf8")) - written).toBeGreaterThanOrEqual(5_000);
});

test("a failed install shows npm's reason without its noise, and what to do", async () => {
  npmDoes(`
    console.error("npm warn EBADENGINE Unsupported engine {");
    console.error("npm error code E404\\nnpm error 404 Not Found - shelf");
    process.exit(1);
  `);
  const { exited, output } = bootstrap(["run", "ask.ts"]);
  expect(await exited).toBe(1);
  expect(output()).toContain("npm error 404 Not Found - shelf");
  expect(output()).not.toContain("EBADENGINE");
  expect(output()).toContain("Is the package registry reachable");
});

test("exit codes and signals pass through an older Node", async () => {
  write("end.ts", "process.exit(7);");
  expect(await bootstrap(["run", "end.ts"], { preload: asOlderNode }).exited).toBe(7);

  write(
    "wait.ts",
    'process.on("SIGINT", () => process.exit(9)); console.log("waiting"); setInterval(() => {}, 1000);',
  );
  const waiting = bootstrap(["run", "wait.ts"], { preload: asOlderNode });
  await until("it waits", () => waiting.output().includes("waiting"));
  waiting.child.kill("SIGINT");
  expect(await waiting.exited).toBe(9);
});

test("a Node that is too old is told so, before anything else", async () => {
  const preload = 'Object.defineProperty(process, "versions", { value: { node: "16.20.2" } });';
  const { exited, output } = bootstrap(["start"], { preload });
  expect(await exited).toBe(1);
  expect(output()).toMatch(/at least 18 is needed[\s\S]*https:\/\/nodejs\.org/);
  expect(npmCalls()).toEqual([]);
});

test.for([
  { node: "22.0.0", code: 1, says: "too old to run the project" },
  { node: "24.0.0", code: 0, says: "using the running" },
])("where no Node is packaged, $node ends with $code", async ({ node, code, says }) => {
  npmDoes('fs.mkdirSync("node_modules", { recursive: true });');
  const preload = `Object.defineProperty(process, "versions", { value: { node: "${node}" } });`;
  const { exited, output } = bootstrap(["run", "ask.ts"], { preload });
  expect(await exited).toBe(code);
  expect(output()).toContain(says);
});

test("without a command the usage is shown", async () => {
  const { exited, output } = bootstrap([]);
  expect(await exited).toBe(1);
  expect(output()).toContain("usage: node bootstrap.mjs start");
});
