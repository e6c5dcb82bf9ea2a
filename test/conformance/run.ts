/**
 * Runs the public conformance suite of Connect against the runtime's server and client, over gRPC, gRPC-Web
 * and Connect, where grpc-go is one of the peers on both sides; then grpcurl against the server. All of them
 * are Go programs; without Go there is nothing to run.
 *
 *     npm run conformance                     both sides
 *     npm run conformance -- client --run "Basic/**"    one side, with options of the runner
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { runGrpcurl } from "./grpcurl.ts";

/** Programs of peers, at the versions this has been run with. */
const packages = {
  connectconformance: "connectrpc.com/conformance/cmd/connectconformance@v1.0.7",
  grpcurl: "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3",
};

const here = import.meta.dirname;

const [first, ...rest] = process.argv.slice(2);
const sides = first === "server" || first === "client" ? [first] : ["server", "client"];
const options = sides.length === 1 ? rest : process.argv.slice(2);

if (spawnSync("go", ["version"]).status !== 0) {
  console.log("conformance: skipped: needs Go");
  process.exit(0);
}
let failed = false;
const runner = install("connectconformance");

for (const side of sides) {
  console.log(`conformance: ${side}`);
  const { status } = spawnSync(
    runner,
    [
      ...["--mode", side, "--conf", join(here, `${side}.yaml`)],
      ...["--known-failing", `@${join(here, `known-failing-${side}.txt`)}`],
      ...options,
      ...["--", process.execPath, join(here, `${side}.ts`)],
    ],
    { stdio: "inherit" },
  );
  failed ||= status !== 0;
}
if (sides.length === 2 && !(await runGrpcurl(install("grpcurl")))) failed = true;
process.exit(failed ? 1 : 0);

/** Path of a program, which Go installs where it is missing. */
function install(name: keyof typeof packages): string {
  const folder = resolve(here, "../../.weft/peers", packages[name].replaceAll("/", "_"));
  const program = join(folder, name);
  if (existsSync(program)) return program;
  const env = { ...process.env, GOBIN: folder };
  if (spawnSync("go", ["install", packages[name]], { env, stdio: "inherit" }).status !== 0) {
    console.log(`conformance: skipped: needs ${packages[name]}, which Go cannot install here`);
    process.exit(failed ? 1 : 0);
  }
  return program;
}
