/**
 * Runs the public conformance suite of Connect against the runtime's server and client, over gRPC, gRPC-Web
 * and Connect. The runner is a Go program; without Go there is nothing to run.
 *
 *     npm run conformance                     both sides
 *     npm run conformance -- client --run "Basic/**"    one side, with options of the runner
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const version = "v1.0.7";
const here = import.meta.dirname;
const folder = resolve(here, `../../.weft/conformance/${version}`);
const runner = join(folder, "connectconformance");

const [first, ...rest] = process.argv.slice(2);
const sides = first === "server" || first === "client" ? [first] : ["server", "client"];
const options = sides.length === 1 ? rest : process.argv.slice(2);

if (!existsSync(runner)) {
  if (spawnSync("go", ["version"]).status !== 0) {
    console.log("conformance: skipped: needs Go");
    process.exit(0);
  }
  execFileSync("go", ["install", `connectrpc.com/conformance/cmd/connectconformance@${version}`], {
    env: { ...process.env, GOBIN: folder },
    stdio: "inherit",
  });
}

let failed = false;
for (const side of sides) {
  console.log(`conformance: ${side}`);
  const { status } = spawnSync(
    runner,
    [
      ...["--mode", side, "--conf", join(here, `${side}.yaml`)],
      ...["--known-failing", `@${join(here, `known-failing-${side}.txt`)}`],
      ...(side === "server" ? ["--known-flaky", `@${join(here, "known-flaky-server.txt")}`] : []),
      ...options,
      ...["--", process.execPath, join(here, `${side}.ts`)],
    ],
    { stdio: "inherit" },
  );
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
