/** An HTTP/2 server that sends exactly the frames a test tells it to. */
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export const T = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goAway: 7,
  window: 8,
  continuation: 9,
};
const PREFACE_BYTES = 24;

/** One frame. */
export function frame(type: number, flags: number, id: number, payload: Uint8Array | string = ""): Buffer {
  const bytes = Buffer.from(payload as string, "latin1");
  const header = Buffer.alloc(9);
  header.writeUIntBE(bytes.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(id, 5);
  return Buffer.concat([header, bytes]);
}

export const uint32 = (...values: number[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.from(value.toString(16).padStart(8, "0"), "hex")));

/** HEADERS of a good response (`:status: 200`), and its trailers (`grpc-status: 0`). */
export const good = (id: number): Buffer => frame(T.headers, 4, id, "\x88");
export const trailers = (id: number): Buffer => frame(T.headers, 5, id, "\x00\x0bgrpc-status\x010");

export class ScriptedPeer {
  readonly url: string;
  /** Of all connections, in order. */
  readonly received: ReceivedFrame[] = [];
  readonly sockets: Socket[] = [];
  readonly #server: net.Server;
  #waiting: (() => void)[] = [];

  private constructor(server: net.Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("connection", (socket) => this.#serve(socket));
  }

  static async start(): Promise<ScriptedPeer> {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ScriptedPeer(server);
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    let bytes = Buffer.alloc(0);
    let begun = false;
    socket.on("error", () => {});
    socket.on("close", () => this.#wake());
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (!begun && bytes.length >= PREFACE_BYTES) {
        begun = true;
        bytes = bytes.subarray(PREFACE_BYTES);
        socket.write(frame(T.settings, 0, 0));
      }
      while (begun && bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
        const end = 9 + bytes.readUIntBE(0, 3);
        const [type = 0, flags = 0] = bytes.subarray(3, 5);
        this.received.push({ type, flags, id: bytes.readUInt32BE(5), payload: bytes.subarray(9, end) });
        bytes = bytes.subarray(end);
      }
      this.#wake();
    });
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The first frame that `matches`, as soon as it is there. */
  async frame(matches: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame> {
    for (;;) {
      const found = this.received.find(matches);
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** When the first connection is closed. */
  async closed(): Promise<void> {
    while (!this.sockets[0]?.destroyed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  send(...frames: Buffer[]): void {
    this.sockets.at(-1)!.write(Buffer.concat(frames));
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }
}
