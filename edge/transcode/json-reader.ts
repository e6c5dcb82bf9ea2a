import { shorten } from "./scalar.ts";
import { ValueError } from "./value-error.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SIMPLE_ESCAPES: Record<string, string> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/**
 * A cursor over JSON text that takes exactly RFC 8259, minus what two parsers might read differently:
 * duplicate keys (its callers check), lone surrogates, more than `maxDepth` levels. Numbers come as they
 * were written, because a JavaScript number cannot hold every 64-bit integer.
 */
export class JsonReader {
  readonly #text: string;
  #pos = 0;
  #depth = 0;
  readonly #maxDepth: number;
  /** Whether fields a message does not have are skipped instead of refused. */
  readonly ignoreUnknown: boolean;

  constructor(text: string, maxDepth: number, ignoreUnknown: boolean) {
    this.#text = text;
    this.#maxDepth = maxDepth;
    this.ignoreUnknown = ignoreUnknown;
  }

  /** The next significant character without taking it; "" at the end. */
  peek(): string {
    for (;;) {
      const c = this.#text.charCodeAt(this.#pos);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return this.#text.charAt(this.#pos);
      this.#pos++;
    }
  }

  /** Takes the character if it is next. */
  take(char: string): boolean {
    if (this.peek() !== char) return false;
    this.#pos++;
    return true;
  }

  expect(char: string): void {
    if (!this.take(char)) throw this.unexpected(`"${char}"`);
  }

  unexpected(wanted: string): ValueError {
    const found = this.peek();
    return new ValueError(
      `invalid JSON: ${found ? `"${found}"` : "the end"} at position ${this.#pos}, want ${wanted}`,
    );
  }

  /** Throws unless only whitespace is left. */
  end(): void {
    if (this.peek() !== "") throw this.unexpected("the end");
  }

  /** Position to return to with `rewind`, for a second look. */
  mark(): number {
    return this.#pos;
  }

  rewind(mark: number): void {
    this.#pos = mark;
  }

  open(char: "{" | "["): void {
    if (!this.take(char)) {
      if (/["\dtfn[{-]/.test(this.peek()))
        throw new ValueError(char === "{" ? "must be a JSON object" : "must be a JSON array");
      throw this.unexpected(`"${char}"`);
    }
    if (++this.#depth > this.#maxDepth)
      throw new ValueError(`JSON is nested deeper than ${this.#maxDepth} levels`);
  }

  /** After an element: true when another one follows, false when the container ended. */
  more(close: "}" | "]"): boolean {
    if (this.take(",")) return true;
    this.expect(close);
    this.#depth--;
    return false;
  }

  /** After `open`: whether the container is empty (and then takes its end). */
  empty(close: "}" | "]"): boolean {
    if (!this.take(close)) return false;
    this.#depth--;
    return true;
  }

  /** A member's name with its colon. */
  key(): string {
    const name = this.string();
    this.expect(":");
    return name;
  }

  string(): string {
    if (this.peek() !== '"') throw this.unexpected("a string");
    const start = ++this.#pos;
    for (let i = start; ; i++) {
      const c = this.#text.charCodeAt(i);
      if (c === QUOTE) {
        this.#pos = i + 1;
        return this.#text.slice(start, i);
      }
      if (c === BACKSLASH) return this.#escapedString(start, i);
      if (!(c >= 0x20)) throw this.#badString(i);
    }
  }

  #escapedString(start: number, firstEscape: number): string {
    let text = this.#text.slice(start, firstEscape);
    let from = firstEscape;
    for (let i = firstEscape; ; i++) {
      const c = this.#text.charCodeAt(i);
      if (c === QUOTE) {
        text += this.#text.slice(from, i);
        this.#pos = i + 1;
        if (!text.isWellFormed()) throw new ValueError("invalid JSON: a string has a lone surrogate");
        return text;
      }
      if (!(c >= 0x20)) throw this.#badString(i);
      if (c !== BACKSLASH) continue;
      text += this.#text.slice(from, i) + this.#escape(i + 1);
      from = i + (this.#text[i + 1] === "u" ? 6 : 2);
      i = from - 1;
    }
  }

  #escape(at: number): string {
    const simple = SIMPLE_ESCAPES[this.#text.charAt(at)];
    if (simple !== undefined) return simple;
    const hex = this.#text.slice(at + 1, at + 5);
    if (this.#text[at] !== "u" || !/^[0-9A-Fa-f]{4}$/.test(hex))
      throw new ValueError(`invalid JSON: bad escape at position ${at}`);
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #badString(at: number): ValueError {
    const why = at >= this.#text.length ? "the text ends within a string" : "a control character in a string";
    return new ValueError(`invalid JSON: ${why} at position ${at}`);
  }

  /** The number's text. */
  number(): string {
    this.peek();
    NUMBER.lastIndex = this.#pos;
    const match = NUMBER.exec(this.#text);
    if (!match) throw this.unexpected("a value");
    this.#pos += match[0].length;
    return match[0];
  }

  /** Takes `true`, `false` or `null` if it is next. */
  literal(word: "true" | "false" | "null"): boolean {
    this.peek();
    if (!this.#text.startsWith(word, this.#pos)) return false;
    this.#pos += word.length;
    return true;
  }

  boolean(): boolean | undefined {
    if (this.literal("true")) return true;
    return this.literal("false") ? false : undefined;
  }

  /** Reads past any value, checking it as strictly as one that is used. */
  skip(): void {
    const next = this.peek();
    if (next === '"') this.string();
    else if (next === "{") this.#skipObject();
    else if (next === "[") {
      this.open("[");
      if (this.empty("]")) return;
      do this.skip();
      while (this.more("]"));
    } else if (!this.literal("true") && !this.literal("false") && !this.literal("null")) this.number();
  }

  #skipObject(): void {
    const keys = new Set<string>();
    this.open("{");
    if (this.empty("}")) return;
    do {
      const key = this.key();
      if (keys.has(key)) throw duplicateKey(key);
      keys.add(key);
      this.skip();
    } while (this.more("}"));
  }
}

export const duplicateKey = (key: string): ValueError =>
  new ValueError(`the key "${shorten(key)}" is given twice`);
