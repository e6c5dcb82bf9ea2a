// Built-in modules and plain syntax only: this runs before anything is installed, on whatever Node there is.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { modules } from "./places.mjs";
import { ended, forwardSignals, Refused } from "./processes.mjs";

/** From here on the running Node will do, should the platform have no packaged one. */
const sufficientNode = 24;
const major = Number(process.versions.node.split(".")[0]);

/** The Node among the installed packages; the names are those of optionalDependencies. */
export function packagedNode() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const file = process.platform === "win32" ? "node.exe" : "node";
  return [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]
    .map((name) => path.join(modules, name, "bin", file))
    .find((candidate) => fs.existsSync(candidate));
}

/** Becomes the program where Node can (execve), else waits beside it and passes on signals and the exit code. */
export async function handOver(program) {
  const node = packagedNode() || runningNode("no Node is packaged for this platform");
  const env = environmentFor(node);
  if (typeof process.execve === "function" && process.platform !== "win32" && node !== process.execPath) {
    process.execve(node, [node, ...program], env);
  }
  const child = spawn(node, program, { stdio: "inherit", env });
  const forward = forwardSignals(child);
  const { code, signal, error } = await ended(child);
  forward.stop();
  // A libc that the packaged Node was not built for shows as a program that does not exist.
  if (error)
    throw new Refused(
      `${node} does not run here: ${error.message}. Remove its package and use Node ${sufficientNode}.`,
    );
  if (signal) process.kill(process.pid, signal);
  else process.exitCode = code;
}

function runningNode(reason) {
  if (major < sufficientNode) {
    throw new Refused(
      `✗ ${reason} (${process.platform}-${process.arch}), and ${process.version} is too old to run the project.\n` +
        `  Install Node ${sufficientNode} or newer from https://nodejs.org, then run the same command again.`,
    );
  }
  console.log(`✓ Node: ${reason}; using the running ${process.version}`);
  return process.execPath;
}

/** First on PATH is the project's Node, for whatever the program starts itself. */
function environmentFor(node) {
  const folders = [path.dirname(node), path.join(modules, ".bin"), process.env.PATH];
  const launchers = [process.env.npm_lifecycle_event ? process.ppid : 0, process.pid].filter(
    (pid) => pid > 1,
  );
  return Object.assign({}, process.env, {
    PATH: folders.join(path.delimiter),
    WEFT_LAUNCHERS: launchers.join(","), // the runner ends when one of them is killed
  });
}
