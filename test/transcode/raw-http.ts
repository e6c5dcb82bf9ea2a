import net from "node:net";

export interface RawRequest {
  readonly method: string;
  /** Sent byte for byte. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | null;
}

/** What came back over the socket. */
export interface RawAnswer {
  /** How it ended; `broken` has bytes that are no HTTP. */
  readonly end: "complete" | "aborted" | "timeout" | "refused" | "broken";
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** Bytes written before the answer is looked for again. */
const PIECE = 32 * 1024;

/** One HTTP/1.1 exchange over a socket of its own, without a client library that would tidy up either side. */
export async function exchange(
  host: string,
  port: number,
  request: RawRequest,
  timeoutMs: number,
): Promise<RawAnswer> {
  const socket = net.connect({ host, port, noDelay: true });
  const chunks: Buffer[] = [];
  let settle: (end: RawAnswer["end"]) => void = () => {};
  const ended = new Promise<RawAnswer["end"]>((resolve) => {
    settle = resolve;
  });
  const timer = setTimeout(() => settle("timeout"), timeoutMs);
  socket.on("error", (error: NodeJS.ErrnoException) =>
    settle(error.code === "ECONNREFUSED" ? "refused" : "aborted"),
  );
  socket.on("close", () => settle("aborted"));
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    const answer = parse(Buffer.concat(chunks), request.method, false);
    if (answer !== undefined) settle(answer === "broken" ? "broken" : "complete");
  });
  socket.on("end", () =>
    settle(typeof parse(Buffer.concat(chunks), request.method, true) === "object" ? "complete" : "aborted"),
  );
  socket.on("connect", () => void send(socket, request));
  const end = await ended;
  clearTimeout(timer);
  socket.destroy();
  const bytes = Buffer.concat(chunks);
  const answer = parse(bytes, request.method, true);
  if (typeof answer === "object") return { end, ...answer };
  return { end, status: 0, headers: [], body: Buffer.alloc(0), ...(headOf(bytes) ?? {}) };
}

async function send(socket: net.Socket, { method, target, headers, body }: RawRequest): Promise<void> {
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.write(Buffer.from(`${method} ${target} HTTP/1.1\r\n${fields}\r\n`, "latin1"));
  for (let at = 0; body && at < body.length; at += PIECE) {
    // An answer may come before the body is through; then nobody reads the rest.
    if (socket.destroyed || socket.bytesRead > 0) return;
    if (!socket.write(body.subarray(at, at + PIECE))) {
      await new Promise<void>((resolve) => {
        for (const event of ["drain", "close", "data"]) socket.once(event, () => resolve());
      });
    }
    await new Promise(setImmediate);
  }
}

type Message = Omit<RawAnswer, "end">;

/** Status and headers, with the bytes after them as the body. */
function headOf(bytes: Buffer): Message | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [line = "", ...fields] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(line)?.[1] ?? 0);
  if (status === 100) return headOf(bytes.subarray(end + 4));
  const headers = fields.map((field) => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
  });
  return { status, headers, body: bytes.subarray(end + 4) };
}

/** The whole response; undefined while bytes are missing, "broken" for what is no HTTP. */
function parse(bytes: Buffer, method: string, closed: boolean): Message | "broken" | undefined {
  const head = headOf(bytes);
  if (!head)
    return bytes.length > 0 && !"HTTP/1.1".startsWith(bytes.toString("latin1", 0, 8)) ? "broken" : undefined;
  if (head.status === 0) return "broken";
  const value = (name: string): string | undefined => head.headers.find(([key]) => key === name)?.[1];
  const bodiless = method === "HEAD" || head.status === 204 || head.status === 304;
  if (bodiless) return head.body.length > 0 ? "broken" : head;
  if (value("transfer-encoding") === "chunked") return unchunk(head);
  const length = value("content-length");
  if (length === undefined) return closed ? head : undefined;
  if (head.body.length > Number(length)) return "broken";
  return head.body.length === Number(length) ? head : undefined;
}

function unchunk(head: Message): Message | "broken" | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = head.body.indexOf("\r\n", at);
    if (line < 0) return undefined;
    const size = Number.parseInt(head.body.toString("latin1", at, line), 16);
    if (Number.isNaN(size)) return "broken";
    const end = line + 2 + size;
    if (size === 0) return head.body.length >= end + 2 ? { ...head, body: Buffer.concat(parts) } : undefined;
    if (head.body.length < end + 2) return undefined;
    parts.push(head.body.subarray(line + 2, end));
    at = end + 2;
  }
}

/** Body bytes of a response that was cut off: the chunks that came. */
export function partialBody(answer: RawAnswer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = answer.body.indexOf("\r\n", at);
    const size = line < 0 ? Number.NaN : Number.parseInt(answer.body.toString("latin1", at, line), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(answer.body.subarray(line + 2, line + 2 + size));
    at = line + 4 + size;
  }
}
