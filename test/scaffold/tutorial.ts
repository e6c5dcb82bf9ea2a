/**
 * `npm run scaffold:tutorial`: follows docs/tutorial/first-service.md in a copy of this repository, word for word: its
 * commands in their order, and its changes as patches. Part of CI.
 */
import { type ChildProcess, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { system } from "#local/system.ts";
import { placesFor } from "#local/topology.ts";
import { pickPortOffset } from "../system/runner-process.ts";
import { copyRepository } from "./copy.ts";
import { start, stop } from "./start.ts";

const copy = copyRepository();
const offset = await pickPortOffset(placesFor(system, 0).all.map(({ port }) => port));
const page = readFileSync(join(copy.folder, "docs/tutorial/first-service.md"), "utf8");
const steps = [...page.matchAll(/^```(sh|diff)\n([\s\S]*?)^```$/gm)].map(([, kind, text]) => ({
  kind,
  text: text!,
}));
let running: ChildProcess | undefined;

try {
  for (const { kind, text } of steps) {
    if (kind === "diff") patch(text);
    else if (text === "npm start\n") running = await start(copy, offset);
    else if (running) {
      const output = inShell(text.replaceAll(":8080", `:${system.edge.port + offset}`));
      if (!/"reviews": ?\[\{/.test(output)) throw new Error(`the review is not listed:\n${output}`);
      if (!/reviews .*ready/.test(output)) throw new Error(`the service is not seen:\n${output}`);
      running = await stop(running);
    } else inShell(text);
  }
  if (copy.changed() !== "") throw new Error(`something is left of the service:\n${copy.changed()}`);
  console.log("the tutorial works as written");
} finally {
  if (running) await stop(running);
  copy.remove();
}

/** The tutorial's patches are as of a certain day; the service's first migration is named by the day it is made. */
function patch(text: string): void {
  const [made = ""] = readdirSync(join(copy.folder, "services", "reviews", "migrations"));
  const today = made.slice(0, 8);
  const { status, stderr } = spawnSync("git", ["apply", "--recount", "--unidiff-zero", "-"], {
    cwd: copy.folder,
    input: text.replaceAll("20260304", today),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the change does not apply: ${stderr}\n${text}`);
}

function inShell(commands: string): string {
  const began = Date.now();
  const { status, stdout, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", commands], {
    cwd: copy.folder,
    encoding: "utf8",
    env: { ...process.env, WEFT_PORT_OFFSET: `${offset}` },
  });
  console.log(`${commands.trim().split("\n").join("\n  ")}: ${((Date.now() - began) / 1_000).toFixed(1)} s`);
  if (status !== 0) throw new Error(`it ended with ${status}\n${stdout}\n${stderr}`);
  return stdout;
}
