/**
 * `npm run polyglot`: the checks of each language, and then the shop with every service in its other language, which
 * passes the same journeys, the same examples of its consumers and the same chaos as ever. A language whose tools are
 * not here is left out, and says so.
 */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/** Service that is there in a language, and a command that ends well where the language's tools are. */
const languages = [
  { language: "go", service: "inventory", probe: ["go", "mod", "download"] },
  { language: "python", service: "email", probe: [".weft/python/bin/python", "-c", "import grpc"] },
];
const sameTests = [
  "test/contract/providers.test.ts",
  "test/journeys",
  "test/system/docs.test.ts",
  "test/chaos/chaos.test.ts",
];

process.exitCode = check();

/** @returns the exit code */
function check(): number {
  for (const { language } of languages) {
    console.log(`\n=== ${language}`);
    if (!run([resolve(root, "test/polyglot", language, "main.ts")])) return 1;
  }
  const here = languages.filter(
    ({ probe: [program, ...args] }) => spawnSync(program!, args, { cwd: root }).status === 0,
  );
  if (here.length === 0) return 0;
  const WEFT_IMPL = here.map(({ service, language }) => `${service}=${language}`).join();
  console.log(`\n=== the shop with ${WEFT_IMPL}`);
  return run([resolve(root, "node_modules/vitest/vitest.mjs"), "run", ...sameTests], { WEFT_IMPL }) ? 0 : 1;
}

function run(args: string[], more: NodeJS.ProcessEnv = {}): boolean {
  const env = { ...process.env, ...more };
  return spawnSync(process.execPath, args, { cwd: root, env, stdio: "inherit" }).status === 0;
}
