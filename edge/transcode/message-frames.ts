import zlib from "node:zlib";
import { Code, StatusError } from "./status.ts";

const HEADER_BYTES = 5;

/** Cuts bytes in gRPC framing into messages; a chunk that holds whole messages is not copied. */
export class MessageFrames {
  /** Bytes the rest must have before a look at it is worth while. */
  #wanted = HEADER_BYTES;
  #parts: Buffer[] = [];
  #size = 0;
  readonly #limit: number;
  readonly #encoding: () => string | undefined;

  /**
   * @param limit largest message in bytes, before and after decompression
   * @param encoding `grpc-encoding` of the peer, asked when a compressed message comes
   */
  constructor(limit: number, encoding: () => string | undefined = () => undefined) {
    this.#limit = limit;
    this.#encoding = encoding;
  }

  /**
   * @param onMessage gets each message's bytes, a view that stays valid
   * @throws StatusError for a message that is too large or compressed in an unknown way
   */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    const whole = this.#size === 0 ? wholeMessage(chunk, this.#limit) : undefined;
    if (whole) return onMessage(whole);
    this.#parts.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#wanted) return;
    let bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#size);
    this.#wanted = HEADER_BYTES;
    while (bytes.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + bytes.readUInt32BE(1);
      if (end - HEADER_BYTES > this.#limit) {
        throw new StatusError(Code.resourceExhausted, `a message is larger than ${this.#limit} bytes`);
      }
      if (bytes.length < end) {
        this.#wanted = end;
        break;
      }
      const payload = bytes.subarray(HEADER_BYTES, end);
      onMessage(bytes[0] === 0 ? payload : this.#decompress(bytes[0]!, payload));
      bytes = bytes.subarray(end);
    }
    this.#parts = bytes.length > 0 ? [bytes] : [];
    this.#size = bytes.length;
  }

  /** Whether the bytes so far end between two messages. */
  get complete(): boolean {
    return this.#size === 0;
  }

  #decompress(flag: number, payload: Buffer): Buffer {
    if (flag !== 1 || this.#encoding() !== "gzip")
      throw new StatusError(Code.internal, "a message is compressed in an unknown way");
    try {
      return zlib.gunzipSync(payload, { maxOutputLength: this.#limit });
    } catch {
      throw new StatusError(Code.internal, "a message does not decompress");
    }
  }
}

/** The message of a chunk that is one message, uncompressed, and nothing else; undefined for any other chunk. */
export function wholeMessage(chunk: Buffer, limit: number): Buffer | undefined {
  if (chunk.length < HEADER_BYTES || chunk[0] !== 0) return undefined;
  const length = chunk.readUInt32BE(1);
  return length === chunk.length - HEADER_BYTES && length <= limit ? chunk.subarray(HEADER_BYTES) : undefined;
}

/** One message in gRPC framing, uncompressed. */
export function frameMessage(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEADER_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, HEADER_BYTES);
  return framed;
}
