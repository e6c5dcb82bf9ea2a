/** Time from typing `npm start` to the first confirmed order. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReadyFile } from "#local/ready-file.ts";
import { system } from "#local/system.ts";
import { placesFor } from "#local/topology.ts";
import { pickPortOffset, temporaryDataDir, until } from "../../system/runner-process.ts";
import { attachShop } from "../../system/shop.ts";
import { buyAsAlice } from "./orders.ts";

const root = join(import.meta.dirname, "../../..");

/** Seconds of a start on data that an earlier start has left, and of that earlier start. */
export async function warmStart(args: string[]): Promise<{ first: number; again: number }> {
  const dataDir = temporaryDataDir();
  try {
    const first = await timeStart(root, ["--data", dataDir, ...args], join(dataDir, "ready.json"));
    const again = await timeStart(root, ["--data", dataDir, ...args], join(dataDir, "ready.json"));
    return { first, again };
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Seconds of a start in a new clone, with `npm ci`. npm's own cache is left as it is. */
export async function coldStart(args: string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "weft-cold-"));
  try {
    const clone = join(folder, "weft");
    execFileSync("git", ["clone", "--quiet", root, clone]);
    return await timeStart(clone, args, join(folder, "ready.json"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timeStart(folder: string, args: string[], readyFile: string): Promise<number> {
  const offset = await pickPortOffset(placesFor(system, 0).all.map(({ port }) => port));
  const began = performance.now();
  const npm = spawn("npm", ["start", "--", "--ready-file", readyFile, ...args], {
    cwd: folder,
    env: { ...process.env, PATH: pathWithoutOurs(), WEFT_PORT_OFFSET: String(offset) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    const { pid } = await readyOf(npm, readyFile);
    await buyAsAlice(attachShop(readyFile));
    const seconds = (performance.now() - began) / 1_000;
    process.kill(pid, "SIGTERM");
    return seconds;
  } finally {
    await ended(npm);
  }
}

async function readyOf(npm: ChildProcess, file: string): Promise<ReadyFile> {
  let output = "";
  for (const stream of [npm.stdout, npm.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  return until(
    "npm start is ready",
    () => {
      if (npm.exitCode !== null) throw new Error(`npm start ended with ${npm.exitCode}:\n${output}`);
      try {
        return JSON.parse(readFileSync(file, "utf8")) as ReadyFile;
      } catch {
        return undefined;
      }
    },
    300,
  );
}

function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("exit", resolve));
}

/** The reader's PATH: npm has put this project's programs, and its Node, in front. */
function pathWithoutOurs(): string {
  return (process.env.PATH ?? "")
    .split(":")
    .filter((part) => !part.includes("node_modules"))
    .join(":");
}
