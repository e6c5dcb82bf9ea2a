import { type DescOneof, ScalarType } from "@bufbuild/protobuf";
import { checkMaskPath } from "./field-mask-text.ts";
import type { JsonReader } from "./json-reader.ts";
import type { FieldEncoder, MessageEncoder } from "./message-encoder.ts";
import { scalarFromText } from "./scalar.ts";
import { checkDuration, checkTimestamp } from "./time-text.ts";
import { ValueError } from "./value-error.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Texts for one field: from the path (`fixed`) or from query parameters. */
export interface Leaf {
  readonly texts: string[];
  /** Keys and values alternate: `labels[key]=value`. */
  readonly pairs: boolean;
  readonly fixed: boolean;
}

/**
 * What path and query say about a message, as a tree of fields. It is laid over the JSON body while that is
 * read: a field in both keeps the overlay's value.
 */
export class Overlay {
  readonly encoder: MessageEncoder;
  readonly #rejectCollisions: boolean;
  readonly #entries = new Map<FieldEncoder, Leaf | Overlay>();
  readonly #members = new Map<DescOneof, FieldEncoder>();

  /** @param rejectCollisions whether a body that gives a field of the overlay another value is refused */
  constructor(encoder: MessageEncoder, rejectCollisions: boolean) {
    this.encoder = encoder;
    this.#rejectCollisions = rejectCollisions;
  }

  get(field: FieldEncoder): Leaf | Overlay | undefined {
    return this.#entries.get(field);
  }

  /**
   * The node of a message field, made on first use.
   * @throws ValueError when the field has a leaf already, or another member of its oneof is set
   */
  descend(field: FieldEncoder): Overlay {
    const entry = this.#entries.get(field);
    if (entry instanceof Overlay) return entry;
    if (entry) throw new ValueError("is given twice");
    this.claim(field);
    const node = new Overlay(field.message!(), this.#rejectCollisions);
    this.#entries.set(field, node);
    return node;
  }

  set(field: FieldEncoder, leaf: Leaf): void {
    this.claim(field);
    this.#entries.set(field, leaf);
  }

  /** Marks the field's oneof as taken by it. */
  claim(field: FieldEncoder): void {
    const { oneof } = field.desc;
    if (!oneof) return;
    if (this.hasOtherMember(field)) throw new ValueError(`another member of "${oneof.name}" is given too`);
    this.#members.set(oneof, field);
  }

  hasOtherMember(field: FieldEncoder): boolean {
    const owner = field.desc.oneof && this.#members.get(field.desc.oneof);
    return owner !== undefined && owner !== field;
  }

  /** Writes all fields the body has not carried along. */
  write(writer: WireWriter): void {
    for (const [field, entry] of this.#entries) {
      try {
        if (!(entry instanceof Overlay)) writeLeaf(field, entry, writer);
        else field.wrap(writer, () => entry.write(writer));
      } catch (error) {
        throw error instanceof ValueError ? error.within(field.desc.name) : error;
      }
    }
    this.#checkRepresentable();
  }

  /** Reads a JSON member under the overlay. */
  readOver(field: FieldEncoder, reader: JsonReader, writer: WireWriter): void {
    const entry = this.#entries.get(field);
    if (entry instanceof Overlay) {
      field.json(reader, writer, entry);
      // Its content went with the body's; a second write would only repeat it.
      this.#entries.delete(field);
      return;
    }
    const start = writer.pos;
    field.json(reader, writer);
    if (!entry) return;
    const fromBody = this.#rejectCollisions ? Buffer.from(writer.slice(start)) : undefined;
    writer.pos = start;
    if (!fromBody) return;
    writeLeaf(field, entry, writer);
    const same = fromBody.equals(writer.slice(start));
    writer.pos = start;
    if (!same) throw new ValueError("differs from the value in the path");
  }

  /** Field by field a well-known type can be given what its JSON form cannot say; that must not pass. */
  #checkRepresentable(): void {
    const texts = (name: string): readonly string[] => {
      const entry = this.#entries.get(this.encoder.byName.get(name)!);
      return entry && !(entry instanceof Overlay) ? entry.texts : [];
    };
    const number = (name: string): number => Number(scalarFromText(ScalarType.INT64, texts(name)[0] ?? "0"));
    switch (this.encoder.desc.typeName) {
      case "google.protobuf.Timestamp":
        return checkTimestamp({ seconds: number("seconds"), nanos: number("nanos") });
      case "google.protobuf.Duration":
        return checkDuration({ seconds: number("seconds"), nanos: number("nanos") });
      case "google.protobuf.FieldMask":
        return texts("paths").forEach(checkMaskPath);
      case "google.protobuf.Value":
        for (const text of texts("number_value")) {
          if (!Number.isFinite(scalarFromText(ScalarType.DOUBLE, text)))
            throw new ValueError("must be finite");
        }
    }
  }
}

function writeLeaf(field: FieldEncoder, leaf: Leaf, writer: WireWriter): void {
  if (leaf.pairs) field.entries!(writer, leaf.texts);
  else field.text!(writer, leaf.texts);
}
