/**
 * What a machine with Python checks of the services in Python: stubs, types, their own tests, and the tests that are
 * written for the contract, run against the process. Without Python, or a way to its packages, it says that it is skipped.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { NotBuilt } from "#local/implementations/implementation.ts";
import { isNewEnough, pythonWithTools } from "#local/implementations/python.ts";
import { generatePython } from "./generate.ts";

const root = resolve(import.meta.dirname, "../../..");
const contractTests = [
  "services/email/email-service.test.ts",
  "services/email/send-mails.test.ts",
  "test/polyglot/python/events.test.ts",
  "test/polyglot/python/same-service.test.ts",
];

process.exitCode = await checkPython();

/** @returns the exit code */
async function checkPython(): Promise<number> {
  if (spawnSync("python3", ["-c", isNewEnough]).status !== 0) {
    console.log("skipped: needs Python (python3, 3.11 or newer, with its module venv)");
    return 0;
  }
  const python = await pythonWithTools(root).catch((error: Error) => {
    if (!(error instanceof NotBuilt)) throw error;
    console.log(`skipped: needs ${error.message}`);
    return undefined;
  });
  if (!python) return 0;
  const run = (title: string, command: string, args: string[], more: NodeJS.ProcessEnv = {}) => {
    console.log(`\n--- ${title}`);
    const env = { ...process.env, ...more };
    return spawnSync(command, args, { cwd: root, env, stdio: "inherit" }).status === 0;
  };
  const tool = (name: string, ...args: string[]) =>
    run([name, ...args].join(" "), python, ["-m", name, ...args]);
  const ruff = ["--config", "mesh/python/ruff.toml", "mesh/python", "services/email/python", "docs/clients"];
  const vitest = [resolve(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "parts"];
  const good = [
    await stubsAreThoseOfTheContract(),
    tool("ruff", "format", "--check", ...ruff),
    tool("ruff", "check", ...ruff),
    tool("mypy", "--config-file", "mesh/python/mypy.ini"),
    tool("pytest", "-c", "mesh/python/pytest.ini"),
    run("contract tests against the process", process.execPath, [...vitest, ...contractTests], {
      WEFT_IMPL: "email=python",
    }),
    run("in the shop", process.execPath, [resolve(import.meta.dirname, "in-the-shop.ts")]),
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
