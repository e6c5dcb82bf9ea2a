import { mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { examineMachine, NotFit } from "./doctor.ts";
import { NotBuilt } from "./implementations/implementation.ts";
import { killNoted, reapLeftovers, startLeash } from "./leash.ts";
import { type Options, readOptions, usage, WrongOption } from "./options.ts";
import { createOutput, type Output, seconds } from "./output.ts";
import { writeReadyFile } from "./ready-file.ts";
import { endStarted, type Run } from "./run.ts";
import { NotStarted } from "./run-services.ts";
import { startSystem } from "./run-system.ts";
import { AlreadyRunning, lockDataDir } from "./runner-lock.ts";
import { listenForStop } from "./stop-request.ts";
import { placesFor, type System } from "./topology.ts";

const root = join(import.meta.dirname, "../..");

/** Runs a system from the command line until somebody stops it; sets the exit code. */
export async function runner(system: System): Promise<void> {
  const output = createOutput(process.stdout);
  try {
    const options = readOptions(system, process.argv.slice(2), process.env);
    if (options.help) output.plain(usage);
    else await runLocked(system, options, output);
  } catch (error) {
    const expected = [WrongOption, NotFit, AlreadyRunning, NotBuilt, NotStarted].some(
      (kind) => error instanceof kind,
    );
    output.fail(expected ? (error as Error).message : String((error as Error).stack ?? error));
    process.exitCode = 1;
  }
  // What an interrupted start was waiting for, a download say, must not keep the process alive.
  process.exit();
}

async function runLocked(system: System, options: Options, output: Output): Promise<void> {
  const began = Date.now();
  const places = placesFor(system, options.portOffset, options.replicas);
  mkdirSync(options.dataDir, { recursive: true, mode: 0o711 });
  const unlock = lockDataDir(options.dataDir, places.url(system.edge.name));
  const notes = join(options.dataDir, "run");
  const stop = listenForStop(() => {
    killNoted(notes);
    unlock();
    process.exit(130);
  });
  try {
    const leftovers = await reapLeftovers(notes);
    if (leftovers.length > 0)
      output.done("cleaned up", `${leftovers.join(", ")}, left by a start that was killed`);
    const { summary, warnings } = await examineMachine(system, options, startCommand());
    output.done("machine", summary, Date.now() - began);
    for (const warning of warnings) output.warn(warning);

    const leash = startLeash(notes);
    const started: Run["started"] = { parts: [], others: [], ended: false };
    const run = { system, options, places, root, output, leash, started, listeners: new Set<() => void>() };
    await runUntil(stop.asked, run, began).finally(async () => {
      await reapLeftovers(notes); // what was being started at that moment
      leash.drop();
    });
  } finally {
    unlock();
  }
}

/** @param asked resolves with the reason to stop */
async function runUntil(asked: Promise<string>, run: Run, began: number): Promise<void> {
  const { system, options, output, places, started } = run;
  const { readyFile, dataDir } = options;
  let stopBegan: number | undefined;
  const describe = () => {
    if (readyFile) writeReadyFile(readyFile, run);
  };
  try {
    const ready = startSystem(run).then(() => {
      describe();
      run.listeners.add(describe);
      output.done("ready", `in ${seconds(Date.now() - began)}`);
      const data = relative(process.cwd(), dataDir) || ".";
      output.plain(system.welcome(places, { inbox: join(data, "inbox"), logs: join(data, "logs") }));
    });
    // A start that fails ends the wait; one that succeeds leaves it to the reader.
    const reason = await Promise.race([asked, ready.then(() => asked)]);
    stopBegan = Date.now();
    output.waiting("");
    output.plain(`stopping (${reason}) … once more to force it`);
  } finally {
    run.listeners.delete(describe); // what ends from now on does not bring the file back
    if (readyFile) rmSync(readyFile, { force: true });
    await endStarted(started);
    if (stopBegan !== undefined) output.done("stopped", "nothing is left running", Date.now() - stopBegan);
  }
}

/** What the reader typed, for advice that repeats it. */
function startCommand(): string {
  const args = process.argv.slice(2);
  return args.length === 0 ? "npm start" : `npm start -- ${args.join(" ")}`;
}
