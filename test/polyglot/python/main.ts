/**
 * What a machine with Python checks of the services in Python: stubs, types, their own tests, and the tests that are
 * written for the contract, run against the process. Elsewhere it says that it is skipped.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { delimiter, resolve } from "node:path";
import { NotBuilt } from "#local/implementations/implementation.ts";
import { pythonWithTools } from "#local/implementations/python.ts";
import { generatePython } from "./generate.ts";

const root = resolve(import.meta.dirname, "../../..");
const sources = ["mesh/python/weft_runtime", "mesh/python/codegen", "mesh/python/tests"];
const services = ["services/email/python"];
const formatted = ["mesh/python", "services/email/python", "docs/clients"];
const contractTests = ["services/email/email-service.test.ts", "services/email/send-mails.test.ts"];

process.exitCode = await checkPython();

/** @returns the exit code */
async function checkPython(): Promise<number> {
  if (spawnSync("python3", ["-c", "import venv, ensurepip"]).status !== 0) {
    console.log("skipped: needs Python (python3 with its module venv)");
    return 0;
  }
  const python = await pythonWithTools(root).catch((error: Error) => {
    if (!(error instanceof NotBuilt)) throw error;
    console.error(error.message);
    return undefined;
  });
  if (!python) return 1;
  const path = ["gen/python", "mesh/python", ...services].map((folder) => resolve(root, folder));
  const env = { ...process.env, PYTHONPATH: path.join(delimiter) };
  const run = (title: string, command: string, args: string[], more: NodeJS.ProcessEnv = {}) => {
    console.log(`\n--- ${title}`);
    return spawnSync(command, args, { cwd: root, env: { ...env, ...more }, stdio: "inherit" }).status === 0;
  };
  const mypy = ["-m", "mypy", "--config-file", "mesh/python/mypy.ini", ...sources, ...services];
  const ruff = (command: string) => [
    "-m",
    "ruff",
    command,
    "--config",
    "mesh/python/ruff.toml",
    ...formatted,
  ];
  const pytest = [
    "-m",
    "pytest",
    "-q",
    "-c",
    "mesh/python/pytest.ini",
    "-p",
    "no:cacheprovider",
    "mesh/python/tests",
    ...services,
  ];
  const vitest = [resolve(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "parts"];
  const good = [
    await stubsAreThoseOfTheContract(),
    run("format", python, [...ruff("format"), "--check"]),
    run("lint", python, ruff("check")),
    run("types", python, mypy),
    run("tests", python, pytest),
    run("contract tests against the process", process.execPath, [...vitest, ...contractTests], {
      WEFT_IMPL: "email=python",
    }),
  ];
  return good.every(Boolean) ? 0 : 1;
}

async function stubsAreThoseOfTheContract(): Promise<boolean> {
  console.log("--- generated stubs");
  await generatePython();
  const drift = execFileSync("git", ["status", "--porcelain", "--", "gen/python"], {
    cwd: root,
    encoding: "utf8",
  });
  if (drift) console.error(`these differ from what the contract gives; run npm run gen:python:\n${drift}`);
  return drift === "";
}
