import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { commandLine } from "./process-identity.ts";

/** A port that cannot be had, and why: "is used by process 4711 (node server.js)". */
export type Taken = { name: string; port: number; reason: string };

/**
 * Ports above 1023 that browsers and fetch refuse to call, since protocols live there that could be tricked
 * by HTTP (Fetch standard, "port blocking").
 */
const blocked = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10080,
]);

/** Those of the wanted ports that cannot be had on 127.0.0.1, or that nobody could call. */
export async function takenPorts(wanted: { name: string; port: number }[]): Promise<Taken[]> {
  const free = await Promise.all(wanted.map(({ port }) => isFree(port)));
  return wanted
    .filter((_, index) => !free[index])
    .map(({ name, port }) => ({ name, port, reason: reasonOf(port) }));
}

/**
 * An offset with which all ports are free; undefined if none of the round numbers is.
 *
 * @param ports without an offset
 */
export async function freeOffset(ports: number[]): Promise<number | undefined> {
  for (let offset = 1000; offset + Math.max(...ports) < 65_536; offset += 1000) {
    const wanted = ports.map((port) => ({ name: "", port: port + offset }));
    const free = await Promise.all(wanted.map(({ port }) => isFree(port)));
    if (free.every(Boolean)) return offset;
  }
  return undefined;
}

async function isFree(port: number): Promise<boolean> {
  if (blocked.has(port)) return false;
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
      else reject(error);
    });
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Names the holder where the system tells us. */
function reasonOf(port: number): string {
  if (blocked.has(port)) return "is one that browsers refuse to call";
  const pid = process.platform === "linux" ? holderInProc(port) : holderByLsof(port);
  if (pid === undefined) return "is used by another program";
  const command = commandLine(pid);
  return `is used by process ${pid} (${command.length > 60 ? `${command.slice(0, 57)}...` : command || "unknown"})`;
}

/** Lines of /proc/net/tcp: "sl local_address rem_address st ... inode"; addresses end in the port as hex, 0A is LISTEN. */
function holderInProc(port: number): number | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const inodes = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) =>
    readOr(table)
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === "0A")
      .map((fields) => `socket:[${fields[9]}]`),
  );
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => openFiles(pid).some((target) => inodes.includes(target)));
}

/** Other users' processes do not show theirs. */
function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

function holderByLsof(port: number): number | undefined {
  try {
    const found = execFileSync("lsof", ["-nP", "-t", `-iTCP:${port}`, "-sTCP:LISTEN"], { encoding: "utf8" });
    return Number(found.trim().split("\n")[0]) || undefined;
  } catch {
    return undefined;
  }
}

function readOr(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
