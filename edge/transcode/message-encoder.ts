import type { DescField, DescMessage, Registry } from "@bufbuild/protobuf";
import { compileField } from "./field-encoder.ts";
import { duplicateKey, type JsonReader } from "./json-reader.ts";
import type { Overlay } from "./overlay.ts";
import { shorten } from "./scalar.ts";
import { ValueError } from "./value-error.ts";
import { wellKnownEncoder } from "./well-known-encoders.ts";
import type { WireWriter } from "./wire-writer.ts";

/** How one field gets from JSON or text to the wire. Compiled once for each field. */
export interface FieldEncoder {
  readonly desc: DescField;
  /** Writes tag and value from a JSON value that is not null (unless `takesNull`). */
  json(reader: JsonReader, writer: WireWriter, overlay?: Overlay): void;
  /** JSON null is a value of its own here: google.protobuf.Value and NullValue. */
  readonly takesNull: boolean;
  /** Writes tag and value from texts; more than one only for repeated fields. Absent for fields without text form. */
  readonly text: ((writer: WireWriter, texts: readonly string[]) => void) | undefined;
  /** Writes map entries from alternating keys and values; only for maps of scalars. */
  readonly entries: ((writer: WireWriter, pairs: readonly string[]) => void) | undefined;
  /** Encoder of a singular message field. */
  readonly message: (() => MessageEncoder) | undefined;
  /** Writes the tag and the length-delimited content `write` produces; only for singular messages. */
  wrap(writer: WireWriter, write: () => void): void;
}

/** How a message gets from its JSON form, or from path and query, to the wire. */
export interface MessageEncoder {
  readonly desc: DescMessage;
  /** Fields by JSON name and by proto name. */
  readonly byName: ReadonlyMap<string, FieldEncoder>;
  /** Writes the fields of one JSON value; values in `overlay` (from the path) win over it. */
  json(reader: JsonReader, writer: WireWriter, overlay?: Overlay): void;
  /** True for types with a JSON form of their own. */
  readonly wellKnown: boolean;
}

/** Compiles encoders on first use and keeps them; types may be recursive. */
export class MessageEncoders {
  readonly #compiled = new Map<DescMessage, MessageEncoder>();
  /** Types a google.protobuf.Any may hold. */
  readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  of(desc: DescMessage): MessageEncoder {
    const known = this.#compiled.get(desc);
    if (known) return known;
    const byName = new Map<string, FieldEncoder>();
    const special = wellKnownEncoder(desc, this);
    const encoder: MessageEncoder = {
      desc,
      byName,
      wellKnown: special !== undefined,
      json: special
        ? (reader, writer, overlay) => {
            special(reader, writer);
            overlay?.write(writer);
          }
        : (reader, writer, overlay) => readObject(byName, desc, reader, writer, overlay),
    };
    this.#compiled.set(desc, encoder);
    for (const field of desc.fields) {
      const compiled = compileField(field, this);
      byName.set(field.name, compiled);
      byName.set(field.jsonName, compiled);
    }
    return encoder;
  }
}

/** Members of one JSON object. `skipKey` is passed over: the "@type" of an Any. */
export function readObject(
  byName: ReadonlyMap<string, FieldEncoder>,
  desc: DescMessage,
  reader: JsonReader,
  writer: WireWriter,
  overlay?: Overlay,
  skipKey?: string,
): void {
  // Fields and oneofs that have a value, and names of ignored members.
  const seen = new Set<unknown>();
  let name = "";
  reader.open("{");
  if (!reader.empty("}")) {
    do {
      name = reader.key();
      const field = name === skipKey ? undefined : byName.get(name);
      if (seen.has(field ?? name)) throw duplicateKey(name);
      seen.add(field ?? name);
      if (!field) {
        if (name !== skipKey && !reader.ignoreUnknown)
          throw new ValueError(`${desc.typeName} has no such field`).within(shorten(name));
        reader.skip();
        continue;
      }
      try {
        readMember(field, seen, reader, writer, overlay);
      } catch (error) {
        throw error instanceof ValueError ? error.within(name) : error;
      }
    } while (reader.more("}"));
  }
  overlay?.write(writer);
}

function readMember(
  field: FieldEncoder,
  seen: Set<unknown>,
  reader: JsonReader,
  writer: WireWriter,
  overlay?: Overlay,
): void {
  if (!field.takesNull && reader.literal("null")) return;
  const { oneof } = field.desc;
  if (oneof) {
    if (seen.has(oneof) || overlay?.hasOtherMember(field))
      throw new ValueError(`another member of "${oneof.name}" is given too`);
    seen.add(oneof);
  }
  if (overlay) overlay.readOver(field, reader, writer);
  else field.json(reader, writer);
}
