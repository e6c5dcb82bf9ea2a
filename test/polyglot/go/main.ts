/**
 * What a machine with Go checks of the services in Go: stubs, format, go vet, their own tests, and the tests that are
 * written for the service and the contract, run against the process. Without Go, or a way to its modules, it says that it
 * is skipped.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { differencesInStubs } from "./stubs.ts";

const root = resolve(import.meta.dirname, "../../..");
const sources = ["mesh/go", "services", "docs/clients"];
const packages = sources.map((folder) => `./${folder}/...`);
const contractTests = [
  "services/inventory/inventory.test.ts",
  "test/contract/access-over-the-network.test.ts",
  "test/polyglot/go",
];

process.exitCode = checkGo();

/** @returns the exit code */
function checkGo(): number {
  if (spawnSync("go", ["version"]).status !== 0) {
    console.log("skipped: needs Go");
    return 0;
  }
  const modules = spawnSync("go", ["mod", "download"], { cwd: root, encoding: "utf8" });
  if (modules.status !== 0) {
    console.log(`skipped: needs Go's modules: ${modules.stderr.trim().split("\n").at(-1)}`);
    return 0;
  }
  const vitest = [resolve(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "parts"];
  const good = [
    stubsAreThoseOfTheContract(),
    isFormatted(),
    run("go vet", "go", ["vet", ...packages]),
    run("go test", "go", ["test", ...packages]),
    run("contract tests against the process", process.execPath, [...vitest, ...contractTests], {
      WEFT_IMPL: "inventory=go",
    }),
  ];
  return good.every(Boolean) ? 0 : 1;
}

function run(title: string, command: string, args: string[], more: NodeJS.ProcessEnv = {}): boolean {
  console.log(`\n--- ${title}`);
  return (
    spawnSync(command, args, { cwd: root, env: { ...process.env, ...more }, stdio: "inherit" }).status === 0
  );
}

function stubsAreThoseOfTheContract(): boolean {
  console.log("--- generated stubs");
  const different = differencesInStubs(root);
  if (different.length > 0)
    console.error(`these differ from what the contract gives; run npm run gen:go:\n${different.join("\n")}`);
  return different.length === 0;
}

function isFormatted(): boolean {
  console.log("\n--- gofmt");
  const { stdout, status } = spawnSync("gofmt", ["-l", ...sources], { cwd: root, encoding: "utf8" });
  if (stdout) console.error(`not formatted; run gofmt -w ${sources.join(" ")}:\n${stdout}`);
  return status === 0 && stdout === "";
}
