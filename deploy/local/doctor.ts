import { mkdirSync, statfsSync } from "node:fs";
import { freemem } from "node:os";
import type { Options } from "./options.ts";
import { freeOffset, takenPorts } from "./ports.ts";
import { placesFor, type System } from "./topology.ts";

/** The machine is not able to run the system; the message says why and what to do. */
export class NotFit extends Error {}

export type Diagnosis = { summary: string; warnings: string[] };

const leastNode = 24;
/** In bytes. Databases and logs of a first start are well below the one, all processes below the other. */
const leastDisk = 300 * 1024 ** 2;
const comfortableMemory = 1024 ** 3;

/**
 * Looks at what a start needs before anything is started.
 *
 * @param command what the reader typed, for the suggestion of another port offset
 * @throws NotFit
 */
export async function examineMachine(system: System, options: Options, command: string): Promise<Diagnosis> {
  const node = process.versions.node;
  if (Number(node.split(".")[0]) < leastNode) {
    throw new NotFit(`Node ${node} is too old. Start with npm start: it brings its own.`);
  }
  mkdirSync(options.dataDir, { recursive: true, mode: 0o711 });
  const { bavail, bsize } = statfsSync(options.dataDir);
  const disk = bavail * bsize;
  if (disk < leastDisk) {
    throw new NotFit(
      `${size(disk)} of disk is left at ${options.dataDir}; ${size(leastDisk)} is needed. Free some, or use --data.`,
    );
  }
  await refuseTakenPorts(system, options, command);

  const memory = process.availableMemory?.() ?? freemem();
  const warnings: string[] = [];
  if (memory < comfortableMemory) {
    warnings.push(`only ${size(memory)} of memory is free: npm start -- --single needs about a third`);
  }
  return { summary: `Node ${node}, ${size(disk)} disk and ${size(memory)} memory free`, warnings };
}

async function refuseTakenPorts(system: System, options: Options, command: string): Promise<void> {
  const wanted = placesFor(system, options.portOffset, options.replicas).all.filter(({ name }) => {
    if (name === "nats") return options.natsUrl === undefined;
    return true;
  });
  const taken = await takenPorts(wanted);
  if (taken.length === 0) return;
  const list = taken.map(({ name, port, reason }) => `port ${port} (${name}) ${reason}`).join("\n  ");
  const offset = await freeOffset(placesFor(system, 0, options.replicas).all.map(({ port }) => port));
  const advice =
    offset === undefined
      ? "Free it, then start again."
      : `Free it, or use other ports:\n  WEFT_PORT_OFFSET=${offset} ${command}`;
  throw new NotFit(`${list}\n  ${advice}`);
}

function size(bytes: number): string {
  const gigabytes = bytes / 1024 ** 3;
  return gigabytes >= 1
    ? `${gigabytes.toFixed(gigabytes < 10 ? 1 : 0)} GB`
    : `${Math.round(bytes / 1024 ** 2)} MB`;
}
