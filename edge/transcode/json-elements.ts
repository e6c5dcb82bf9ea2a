import { tooLarge } from "./request-body.ts";
import { malformed } from "./status.ts";

const [SPACE, TAB, LF, CR, QUOTE, COMMA, OPEN, BACKSLASH, CLOSE, BRACE, UNBRACE] =
  Buffer.from(' \t\n\r",[\\]{}');

/** Cuts a byte stream into the JSON texts it holds, without looking into them. */
export interface ElementCutter {
  /** Texts completed by these bytes. */
  push(chunk: Buffer): Buffer[];
  /** The last text, if the stream may end here. */
  end(): Buffer[];
}

const isSpace = (byte: number): boolean => byte === SPACE || byte === LF || byte === CR || byte === TAB;

/**
 * Elements of one JSON array. What is inside of an element is checked by whoever parses it; the array
 * itself is checked here.
 * @param limit bytes of one element
 */
export class ArrayElements implements ElementCutter {
  #state: "start" | "first" | "element" | "next" | "done" = "start";
  #parts: Buffer[] = [];
  #size = 0;
  #nesting = 0;
  #inString = false;
  #escaped = false;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Buffer): Buffer[] {
    const elements: Buffer[] = [];
    let start = this.#state === "element" ? 0 : -1;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (this.#state === "element") {
        if (!this.#endsBefore(byte)) continue;
        this.#keep(chunk.subarray(start, i));
        elements.push(this.#whole());
        start = -1;
        this.#state = byte === COMMA ? "next" : "done";
      } else if (!isSpace(byte) && this.#begins(byte)) start = i--;
    }
    if (start >= 0) this.#keep(chunk.subarray(start));
    return elements;
  }

  /** Between elements: whether one begins with this byte. */
  #begins(byte: number): boolean {
    if (this.#state === "start" && byte === OPEN) {
      this.#state = "first";
      return false;
    }
    if (this.#state === "first" && byte === CLOSE) {
      this.#state = "done";
      return false;
    }
    if ((this.#state !== "first" && this.#state !== "next") || byte === COMMA || byte === CLOSE) {
      throw malformed("body: must be a JSON array of messages");
    }
    this.#state = "element";
    return true;
  }

  /** Whether the element ended before this byte. */
  #endsBefore(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return false;
    }
    if (byte === QUOTE) this.#inString = true;
    else if (byte === BRACE || byte === OPEN) this.#nesting++;
    else if (byte === UNBRACE || byte === CLOSE) {
      if (this.#nesting === 0) return byte === CLOSE;
      this.#nesting--;
    } else return byte === COMMA && this.#nesting === 0;
    return false;
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > this.#limit) throw tooLarge(this.#limit);
    this.#parts.push(part);
  }

  #whole(): Buffer {
    const whole = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    return whole;
  }

  end(): Buffer[] {
    if (this.#state !== "done" && this.#state !== "start")
      throw malformed("body: the JSON array does not end");
    return [];
  }
}

/**
 * Lines of newline-delimited JSON; blank ones are skipped.
 * @param limit bytes of one line
 */
export class LineElements implements ElementCutter {
  #parts: Buffer[] = [];
  #size = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    for (let at = chunk.indexOf(LF!); at >= 0; at = chunk.indexOf(LF!, start)) {
      this.#keep(chunk.subarray(start, at));
      lines.push(...this.end());
      start = at + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > this.#limit) throw tooLarge(this.#limit);
    this.#parts.push(part);
  }

  end(): Buffer[] {
    const line = Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    return line.every(isSpace) ? [] : [line];
  }
}
