/** `npm start` in a copy of the repository. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Copy } from "./copy.ts";

/** Starts the system and waits until it is ready. @throws Error when it ends before */
export async function start(copy: Copy, portOffset: number, args: string[] = []): Promise<ChildProcess> {
  const ready = join(copy.folder, ".weft/ready.json");
  const child = spawn("node", ["bootstrap.mjs", "start", "--ready-file", ready, ...args], {
    cwd: copy.folder,
    env: { ...process.env, WEFT_PORT_OFFSET: `${portOffset}` },
    stdio: ["ignore", "ignore", "inherit"],
  });
  while (!existsSync(ready)) {
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}`);
    await sleep(200);
  }
  return child;
}

/** Ends it, and waits until it has. */
export async function stop(child: ChildProcess): Promise<undefined> {
  const ended = once(child, "exit");
  child.kill("SIGINT");
  await ended;
}
