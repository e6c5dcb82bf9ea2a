// The way in from any Node: `npm start`, `npm test`, `node bootstrap.mjs run FILE`.
//
// DESIGN. The project needs a newer Node than most machines have, and npm can bring
// one. So this file uses built-in modules only, and syntax that even an old Node can
// read, to (1) install packages if node_modules does not match the lock file, and
// (2) hand over to the Node that came with them.
import path from "node:path";
import { handOver } from "./deploy/local/bootstrap/node.mjs";
import { install, isInstalled } from "./deploy/local/bootstrap/packages.mjs";
import { modules, root } from "./deploy/local/bootstrap/places.mjs";
import { Refused } from "./deploy/local/bootstrap/processes.mjs";

/** npm 8 is the first to know this lock file; it came with Node 16, and 18 is the oldest anyone should run. */
const oldestNode = 18;

const usage = `usage: node bootstrap.mjs start [--single] [--data DIR]    starts the system
       node bootstrap.mjs test [PATH ...]                 runs the tests
       node bootstrap.mjs run FILE [ARGUMENT ...]         runs a file of the project`;

const major = Number(process.versions.node.split(".")[0]);

async function main() {
  if (major < oldestNode) {
    throw new Refused(
      `This is Node ${process.version}; at least ${oldestNode} is needed to install the packages,\n` +
        "which bring the Node that the project runs on. Get a current one from https://nodejs.org\n" +
        "or your package manager, then run the same command again.",
    );
  }
  const program = programFor(process.argv.slice(2));
  if (!isInstalled()) await install();
  await handOver(program);
}

function programFor([command, ...rest]) {
  if (command === "start") return [path.join(root, "deploy/local/main.ts"), ...rest];
  if (command === "test") return [path.join(modules, "vitest/vitest.mjs"), "run", ...rest];
  if (command === "run" && rest.length > 0) return [path.resolve(rest[0]), ...rest.slice(1)];
  throw new Refused(usage);
}

main().catch((error) => {
  console.error(error instanceof Refused ? error.message : error);
  process.exitCode = 1;
});
