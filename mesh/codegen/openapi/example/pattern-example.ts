/**
 * A short text that matches a regular expression, for the part of the language that rules are mostly written in:
 * literals, classes, groups, alternatives and repetition. Whatever comes out is tried; a miss gives nothing.
 */

/** A text that `pattern` matches; undefined when none was found. */
export function matchPattern(pattern: string): string | undefined {
  try {
    const expression = new RegExp(pattern, "u");
    const text = new Writer(pattern).write();
    return expression.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Letters first, then digits, then the rest of printable ASCII: the first that a class takes is shown. */
const preferred = [
  ..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~ !\"#$%&'()*+,/:;<=>?@[\\]^`{|}",
];

class Writer {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Alternatives up to the end or a ")": the first one is written. */
  write(): string {
    let first: string | undefined;
    let current = "";
    while (this.#at < this.#source.length && this.#source[this.#at] !== ")") {
      if (this.#source[this.#at] === "|") {
        this.#at++;
        first ??= current;
        current = "";
      } else current += this.#repeated();
    }
    return first ?? current;
  }

  /** One atom with its repetition: as often as it must be, and once where it may be missing altogether. */
  #repeated(): string {
    const start = this.#at;
    const atom = this.#atom();
    const isAnchor = /^[\^$]$/.test(this.#source.slice(start, this.#at));
    const [all, least, , most] =
      /^(?:\*|\+|\?|\{(\d+)(,(\d*))?\})\??/.exec(this.#source.slice(this.#at)) ?? [];
    if (all === undefined || isAnchor) return atom;
    this.#at += all.length;
    const times = least === undefined ? 1 : Math.max(Number(least), most === "0" ? 0 : 1);
    return atom.repeat(Math.min(times, 256));
  }

  #atom(): string {
    const c = this.#source[this.#at] ?? "";
    if (c === "(") return this.#group();
    if (c === "[" || c === "\\") return this.#class();
    this.#at++;
    if (c === "^" || c === "$") return "";
    return c === "." ? "a" : c;
  }

  #group(): string {
    this.#at += /^\((?:\?(?::|<\w+>))?/.exec(this.#source.slice(this.#at))?.[0].length ?? 1;
    const text = this.write();
    this.#at++;
    return text;
  }

  /** A class or an escape stands for its first preferred character. */
  #class(): string {
    const [text = ""] =
      /^(?:\[(?:\\.|[^\]\\])*\]|\\(?:[pP]\{[^}]*\}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.))/u.exec(
        this.#source.slice(this.#at),
      ) ?? [];
    if (!text) throw new Error("not a class");
    this.#at += text.length;
    if (text === "\\b" || text === "\\B") return "";
    const one = new RegExp(`^${text}$`, "u");
    return preferred.find((character) => one.test(character)) ?? "";
  }
}
