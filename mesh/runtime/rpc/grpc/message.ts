/** Length-prefixed messages (gRPC over HTTP/2, "Length-Prefixed-Message"). */
import { Code, ConnectError } from "@connectrpc/connect";

/** One flag byte and four bytes of length. */
const prefixBytes = 5;
const compressedFlag = 1;

/** A message as it came. */
export interface ReceivedMessage {
  readonly bytes: Uint8Array;
  readonly compressed: boolean;
}

/** Gathers the only message of one direction of a unary call, from chunks cut anywhere. */
export class SingleMessage {
  readonly #limit: number;
  #received: Buffer | undefined;
  #more: Buffer[] | undefined;
  #size = 0;
  #expected: number | undefined;

  /** @param limit largest message in bytes, as sent */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @throws ConnectError RESOURCE_EXHAUSTED when the prefix promises more than the limit, before it has come;
   *   UNIMPLEMENTED when more than one message comes
   */
  push(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#received === undefined) this.#received = chunk;
    else if (this.#more) this.#more.push(chunk);
    else this.#more = [chunk];
    if (this.#expected === undefined) {
      if (this.#size < prefixBytes) return;
      const length = this.#whole().readUInt32BE(1);
      if (length > this.#limit) throw tooLarge(length, this.#limit);
      this.#expected = prefixBytes + length;
    }
    if (this.#size > this.#expected) {
      throw new ConnectError("protocol error: more than one message in a unary call", Code.Unimplemented);
    }
  }

  /**
   * The message after the last chunk; undefined when there was none.
   * @param code of the error for a message that broke off
   */
  end(code: Code): ReceivedMessage | undefined {
    if (this.#size === 0) return undefined;
    const whole = this.#whole();
    if (this.#size !== this.#expected) {
      const promised = this.#expected === undefined ? "a prefix" : `${this.#expected - prefixBytes} bytes`;
      const got = Math.max(0, this.#size - prefixBytes);
      throw new ConnectError(`protocol error: promised ${promised} in a message, got ${got} bytes`, code);
    }
    return { bytes: whole.subarray(prefixBytes), compressed: ((whole[0] as number) & compressedFlag) !== 0 };
  }

  #whole(): Buffer {
    if (this.#more) {
      this.#received = Buffer.concat([this.#received as Buffer, ...this.#more]);
      this.#more = undefined;
    }
    return this.#received as Buffer;
  }
}

/** A message with its prefix. */
export function frame(bytes: Uint8Array, compressed = false): Buffer {
  const framed = Buffer.allocUnsafe(prefixBytes + bytes.length);
  framed[0] = compressed ? compressedFlag : 0;
  framed.writeUInt32BE(bytes.length, 1);
  framed.set(bytes, prefixBytes);
  return framed;
}

export function tooLarge(bytes: number, limit: number): ConnectError {
  return new ConnectError(
    `message of ${bytes} bytes is larger than the limit of ${limit} bytes`,
    Code.ResourceExhausted,
  );
}
