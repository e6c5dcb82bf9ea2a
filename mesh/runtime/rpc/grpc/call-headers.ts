/**
 * Metadata of a call as Headers of the Fetch standard, over the plain object that node:http2 takes and gives.
 * The built-in class checks every character of what the HTTP/2 parser has checked already, and copies it
 * twice more on the way out: with tokens in the headers that costs as much as the messages.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";

type Init = NonNullable<ConstructorParameters<typeof Headers>[0]>;
type Fields = Record<string, string | string[] | undefined>;

const tokenPattern = /^[\w!#$%&'*+.^`|~-]+$/;
const badValuePattern = /[^\t\x20-\x7e\x80-\xff]/;

/** What headers without any stand on, until they get one: most replies have none of their own. */
const none: Fields = Object.freeze(Object.create(null));

export class CallHeaders implements Headers {
  #fields: Fields;
  /** The object is somebody else's: it is copied before the first change. */
  #shared: boolean;

  private constructor(fields: Fields, shared: boolean) {
    this.#fields = fields;
    this.#shared = shared;
  }

  /** Over what a peer sent; pseudo-headers (":path") do not show. */
  static received(fields: IncomingHttpHeaders): CallHeaders {
    return new CallHeaders(fields as Fields, true);
  }

  /** @throws TypeError for a name or a value that a header cannot have */
  static from(init?: Init): CallHeaders {
    if (!init) return new CallHeaders(none, true);
    const headers = new CallHeaders(Object.create(null), false);
    if (init instanceof CallHeaders) init.copyTo(headers.#fields as OutgoingHttpHeaders);
    else for (const [name, value] of entriesOf(init)) headers.append(name, value);
    return headers;
  }

  /** Whether there never was a field in it. */
  get isEmpty(): boolean {
    return this.#fields === none;
  }

  /** Adds all fields to `into`, replacing what has the same name. */
  copyTo(into: OutgoingHttpHeaders): void {
    for (const name in this.#fields) {
      if (name.charCodeAt(0) !== 58) into[name] = this.#fields[name];
    }
  }

  get(name: string): string | null {
    const value = this.#fields[name.toLowerCase()];
    if (value === undefined || name.charCodeAt(0) === 58) return null;
    return typeof value === "string" ? value : value.join(", ");
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  set(name: string, value: string): void {
    this.#own()[checkedName(name)] = checkedValue(name, value);
  }

  append(name: string, value: string): void {
    const key = checkedName(name);
    const fields = this.#own();
    const known = fields[key];
    const added = checkedValue(name, value);
    if (key === "set-cookie") fields[key] = [known ?? [], added].flat();
    else fields[key] = known === undefined ? added : `${this.get(key)}, ${added}`;
  }

  delete(name: string): void {
    delete this.#own()[name.toLowerCase()];
  }

  getSetCookie(): string[] {
    return [this.#fields["set-cookie"] ?? []].flat();
  }

  forEach(callback: (value: string, name: string, parent: Headers) => void, thisArg?: unknown): void {
    for (const [name, value] of this) callback.call(thisArg, value, name, this);
  }

  *entries(): HeadersIterator<[string, string]> {
    for (const name of Object.keys(this.#fields).sort()) {
      if (name.charCodeAt(0) === 58) continue;
      if (name === "set-cookie") for (const cookie of this.getSetCookie()) yield [name, cookie];
      else yield [name, this.get(name) as string];
    }
  }

  *keys(): HeadersIterator<string> {
    for (const [name] of this) yield name;
  }

  *values(): HeadersIterator<string> {
    for (const [, value] of this) yield value;
  }

  [Symbol.iterator](): HeadersIterator<[string, string]> {
    return this.entries();
  }

  #own(): Fields {
    if (this.#shared) {
      this.#fields = Object.assign(Object.create(null), this.#fields);
      this.#shared = false;
    }
    return this.#fields;
  }
}

type HeadersIterator<T> = ReturnType<Headers["keys"]> extends Iterator<string> ? Generator<T> : never;

function entriesOf(init: Init): Iterable<[string, string]> {
  const entries = Symbol.iterator in init ? init : Object.entries(init);
  return entries as Iterable<[string, string]>;
}

function checkedName(name: string): string {
  if (!tokenPattern.test(name)) throw new TypeError(`"${name}" is not a header name`);
  return name.toLowerCase();
}

function checkedValue(name: string, value: string): string {
  const text = String(value).trim();
  if (badValuePattern.test(text))
    throw new TypeError(`the value of the header ${name} has characters no header may have`);
  return text;
}
