import type { FieldEncoder, MessageEncoder } from "./message-encoder.ts";
import type { TranscoderOptions } from "./options.ts";
import { Overlay } from "./overlay.ts";
import { decodePercent } from "./percent.ts";
import { shorten } from "./scalar.ts";
import { invalidField, malformed } from "./status.ts";
import { ValueError } from "./value-error.ts";

const BRACKETS = /^([^[\]]+)\[([^[\]]*)\]$/;

/** A query name as the way to its field. */
interface Target {
  readonly parents: readonly FieldEncoder[];
  readonly field: FieldEncoder;
  /** Map key, for `name[key]`. */
  readonly key: string | undefined;
}

/** Why a known name cannot be given in the query; lenient gateways drop such a parameter. */
class Bound extends Error {}

/**
 * Lays query parameters into the overlay: names are field paths in proto or JSON names, lists repeat.
 * @param query raw, without "?"
 * @param body what the body is bound to: "*" leaves nothing for the query
 * @throws StatusError INVALID_ARGUMENT naming the parameter
 */
export function bindQuery(
  query: string,
  overlay: Overlay,
  body: "*" | FieldEncoder | undefined,
  options: TranscoderOptions,
): void {
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals), options);
    const value = equals < 0 ? "" : decode(pair.slice(equals + 1), options);
    if (options.ignored_query.includes(name)) continue;
    try {
      bindOne(name, value, overlay, body, options);
    } catch (error) {
      const lenient = error instanceof Bound && options.unknown_query === "ignore";
      if (error instanceof Bound && !lenient) throw invalidField(shorten(name), error.message);
      if (error instanceof ValueError) throw invalidField(shorten(name), error.reason);
      if (!lenient) throw error;
    }
  }
}

function decode(text: string, options: TranscoderOptions): string {
  if (/[^\x21-\x7e]/.test(text)) throw malformed("query: non-ASCII characters must be percent-encoded");
  return decodePercent(options.query_plus_is_space ? text.replaceAll("+", " ") : text, "query");
}

function bindOne(
  name: string,
  value: string,
  overlay: Overlay,
  body: "*" | FieldEncoder | undefined,
  options: TranscoderOptions,
): void {
  if (body === "*") throw new Bound("the body binds every field, so there are no query parameters");
  const { parents, field, key } = resolve(name, overlay.encoder, options);
  if ((parents[0] ?? field) === body) throw new Bound("is bound by the body");
  let node = overlay;
  for (const parent of parents) {
    const entry = node.get(parent);
    if (entry && !(entry instanceof Overlay) && entry.fixed) throw new Bound("is bound by the path");
    node = node.descend(parent);
  }
  const entry = node.get(field);
  if (entry instanceof Overlay) throw new ValueError("is given twice");
  if (entry?.fixed) throw new Bound("is bound by the path");
  if (key !== undefined) return addMapEntry(node, field, key, value);
  if (!entry) node.set(field, { texts: [value], pairs: false, fixed: false });
  else if (field.desc.fieldKind === "list") entry.texts.push(value);
  else throw new ValueError("is given twice");
}

function addMapEntry(node: Overlay, field: FieldEncoder, key: string, value: string): void {
  const entry = node.get(field);
  if (!entry) return node.set(field, { texts: [key, value], pairs: true, fixed: false });
  if (entry instanceof Overlay) throw new ValueError("is given twice");
  for (let i = 0; i < entry.texts.length; i += 2)
    if (entry.texts[i] === key) throw new ValueError("is given twice");
  entry.texts.push(key, value);
}

function resolve(name: string, encoder: MessageEncoder, options: TranscoderOptions): Target {
  const brackets = options.query_map_brackets ? BRACKETS.exec(name) : null;
  const path = (brackets?.[1] ?? name).split(".");
  if (path.length > options.max_depth)
    throw new ValueError(`is nested deeper than ${options.max_depth} levels`);
  const parents: FieldEncoder[] = [];
  let field = encoder.byName.get(path[0]!);
  for (const part of path.slice(1)) {
    if (!field) break;
    // A message that writes itself in its own way has no fields to address, except where they are scalars.
    if (!field.message) throw new ValueError("only a message has fields of its own");
    parents.push(field);
    field = field.message().byName.get(part);
  }
  if (!field) throw new Bound("no such field");
  if (brackets) {
    if (!field.entries) throw new ValueError("is no map of scalars");
    return { parents, field, key: brackets[2] };
  }
  if (!field.text) throw new ValueError("cannot be given in the query");
  return { parents, field, key: undefined };
}
