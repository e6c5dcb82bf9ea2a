/**
 * Sends prepared HTTP/1.1 requests over keep-alive connections, each waiting for its answer before the next
 * (a closed loop), in a process of its own. Raw sockets: a client library would take the CPU that the
 * gateway needs.
 */
import net from "node:net";

export interface LoadOrder {
  readonly port: number;
  /** Bytes of one request. */
  readonly request: string;
  readonly connections: number;
  readonly count: number;
}

export interface LoadReport {
  /** Answers with another status than 2xx, or connections lost. */
  readonly failures: number;
  readonly firstFailure: string | undefined;
}

process.on("message", async (order: LoadOrder) => process.send!(await send(order)));

async function send({ port, request, connections, count }: LoadOrder): Promise<LoadReport> {
  const bytes = Buffer.from(request);
  let left = count;
  let failures = 0;
  let firstFailure: string | undefined;
  const fail = (what: string): void => {
    failures++;
    firstFailure ??= what;
  };
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = net.connect(port, "127.0.0.1").setNoDelay(true);
      let seen = "";
      const next = (): void => {
        if (left-- > 0) socket.write(bytes);
        else socket.end(resolve);
      };
      socket.on("connect", next);
      socket.on("data", (chunk: Buffer) => {
        seen += chunk.toString("latin1");
        if (!isComplete(seen)) return;
        if (!seen.startsWith("HTTP/1.1 2")) fail(seen.slice(0, 300));
        seen = "";
        next();
      });
      socket.on("error", (error) => fail(error.message)).on("close", () => resolve());
    });
  await Promise.all(Array.from({ length: connections }, one));
  if (left > 0) fail(`${left} requests were not sent`);
  return { failures, firstFailure };
}

/** Whether the text holds a whole response; enough for responses that do not come two at a time. */
function isComplete(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /content-length: *(\d+)/i.exec(text.slice(0, end));
  return length ? text.length >= end + 4 + Number(length[1]) : text.endsWith("\r\n0\r\n\r\n");
}
