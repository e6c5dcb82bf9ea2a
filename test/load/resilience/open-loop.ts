/**
 * Sends HTTP/1.1 requests at a steady rate whatever the answers do (an open loop), over kept-alive connections and
 * in a process of its own. Raw sockets: a client library would take the CPU that the system needs, and might try
 * again by itself. Nothing is tried again here.
 */
import { fork } from "node:child_process";
import net from "node:net";
import { fileURLToPath } from "node:url";

export interface Load {
  readonly port: number;
  /** Requests as bytes, sent in turn. */
  readonly requests: readonly string[];
  /** Requests a second. */
  readonly rps: number;
  readonly seconds: number;
  /** Most connections; a request that finds none free is counted as not sent. */
  readonly connections: number;
  /** Milliseconds after which nobody waits any more. */
  readonly timeoutMs: number;
}

/** One request. */
export interface Sent {
  /** When it was sent, in milliseconds since 1970. */
  readonly at: number;
  /** How many milliseconds after it was due: what a load that cannot keep up hides. */
  readonly late: number;
  readonly ms: number;
  /** HTTP status; 0 without an answer, -1 when it was not sent. */
  readonly status: number;
  /** Index in `requests`. */
  readonly kind: number;
  readonly problem?: string;
}

/** Runs a load in a process of its own. */
export function runLoad(load: Load): Promise<Sent[]> {
  const child = fork(fileURLToPath(import.meta.url), ["child"], { serialization: "advanced" });
  return new Promise((resolve, reject) => {
    child.once("message", (sent) => resolve(sent as Sent[])).once("error", reject);
    child.send(load);
  });
}

/** The request of a GET or POST. */
export function http(method: string, path: string, headers: Record<string, string> = {}, body = ""): string {
  const all = { host: "127.0.0.1", ...headers, ...(body && { "content-type": "application/json" }) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

if (process.argv[2] === "child")
  process.once("message", async (load: Load) => {
    const sent = await send(load);
    process.send!(sent, () => process.exit(0));
  });

async function send({ port, requests, rps, seconds, connections, timeoutMs }: Load): Promise<Sent[]> {
  const sent: Sent[] = [];
  const free: net.Socket[] = [];
  let open = 0;
  let pending = 0;
  const total = Math.round(rps * seconds);

  const exchange = (socket: net.Socket, kind: number, late: number) => {
    const at = Date.now();
    const began = performance.now();
    let seen = "";
    let over = false;
    const finish = (status: number, problem?: string) => {
      if (over) return;
      over = true;
      pending--;
      clearTimeout(timer);
      sent.push({ at, late, ms: performance.now() - began, status, kind, ...(problem && { problem }) });
      socket.removeAllListeners("data").off("close", onClose);
      const reusable = status > 0 && !/\r\nconnection: close/i.test(seen) && !socket.destroyed;
      if (reusable) free.push(socket);
      else socket.destroy();
    };
    const onClose = () => finish(0, "the connection ended");
    const timer = setTimeout(() => finish(0, "no answer in time"), timeoutMs);
    pending++;
    socket.on("data", (chunk: Buffer) => {
      seen += chunk.toString("latin1");
      if (!isComplete(seen)) return;
      const status = Number(seen.slice(9, 12));
      finish(
        status,
        status >= 500 ? `${status} ${seen.slice(seen.indexOf("\r\n\r\n") + 4).slice(0, 120)}` : undefined,
      );
    });
    socket.once("close", onClose);
    socket.write((requests[kind] as string).replace("{n}", `${process.pid}-${sent.length}-${at}-${pending}`));
  };
  const start = (kind: number, late: number) => {
    let socket = free.pop();
    while (socket?.destroyed) socket = free.pop();
    if (socket) return exchange(socket, kind, late);
    if (open >= connections) return void sent.push({ at: Date.now(), late, ms: 0, status: -1, kind });
    open++;
    const fresh = net.connect(port, "127.0.0.1").setNoDelay(true);
    fresh.on("error", () => {}).once("close", () => open--);
    exchange(fresh, kind, late);
  };

  const began = performance.now();
  for (let count = 0; count < total; ) {
    const elapsed = performance.now() - began;
    const due = Math.min(total, Math.floor((elapsed / 1_000) * rps) + 1);
    for (; count < due; count++) start(count % requests.length, elapsed - (count / rps) * 1_000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  while (pending > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const socket of free) socket.destroy();
  return sent;
}

/** Whether the text holds a whole response; enough for responses that do not come two at a time. */
function isComplete(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /content-length: *(\d+)/i.exec(text.slice(0, end));
  return length ? text.length >= end + 4 + Number(length[1]) : text.endsWith("\r\n0\r\n\r\n");
}
