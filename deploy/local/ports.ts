import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { commandLine } from "./process-identity.ts";

/** A port somebody else has. */
export type Taken = { name: string; port: number; holder: string };

/** Those of the wanted ports that cannot be had on 127.0.0.1. */
export async function takenPorts(wanted: { name: string; port: number }[]): Promise<Taken[]> {
  const free = await Promise.all(wanted.map(({ port }) => isFree(port)));
  return wanted
    .filter((_, index) => !free[index])
    .map(({ name, port }) => ({ name, port, holder: holderOf(port) }));
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
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
      else reject(error);
    });
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** "process 4711 (node server.js)", or "another program" where the system does not tell us. */
function holderOf(port: number): string {
  const pid = process.platform === "linux" ? holderInProc(port) : holderByLsof(port);
  if (pid === undefined) return "another program";
  const command = commandLine(pid);
  return `process ${pid} (${command.length > 60 ? `${command.slice(0, 57)}...` : command || "unknown"})`;
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
