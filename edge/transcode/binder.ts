import { isUtf8 } from "node:buffer";
import { isHttpBody, writeHttpBody } from "./http-body.ts";
import type { Binding } from "./http-rules.ts";
import { JsonReader } from "./json-reader.ts";
import type { FieldEncoder, MessageEncoder, MessageEncoders } from "./message-encoder.ts";
import type { TranscoderOptions } from "./options.ts";
import { Overlay } from "./overlay.ts";
import { bodyMaskText, maskFieldOf } from "./patch-mask.ts";
import { decodeMultiSegment, decodePercent } from "./percent.ts";
import { bindQuery } from "./query.ts";
import { Code, malformed, StatusError } from "./status.ts";
import { ValueError } from "./value-error.ts";
import { WireWriter } from "./wire-writer.ts";

/** What a request is made of, for one binding; compiled at start-up. */
export class Binder {
  readonly #encoder: MessageEncoder;
  readonly #options: TranscoderOptions;
  readonly #binding: Binding;
  readonly #variables: readonly {
    parents: FieldEncoder[];
    leaf: FieldEncoder;
    start: number;
    length: number;
    multi: boolean;
  }[];
  readonly #body: "*" | FieldEncoder | undefined;
  readonly #mask: FieldEncoder | undefined;
  /** Whether the body is bytes for a google.api.HttpBody instead of JSON. */
  readonly rawBody: boolean;

  constructor(binding: Binding, encoders: MessageEncoders, options: TranscoderOptions) {
    const { method, template, variableFields, body } = binding;
    this.#binding = binding;
    this.#options = options;
    this.#encoder = encoders.of(method.input);
    this.#body = typeof body === "object" ? this.#encoder.byName.get(body.name) : body;
    this.rawBody = isHttpBody(
      body === "*" ? method.input : typeof body === "object" ? body.message : undefined,
    );
    this.#mask = options.patch_field_mask ? maskFieldOf(binding, this.#encoder) : undefined;
    this.#variables = template.variables.map((variable, i) => {
      const fields: FieldEncoder[] = [];
      let encoder = this.#encoder;
      for (const field of variableFields[i]!) {
        const compiled = encoder.byName.get(field.name)!;
        fields.push(compiled);
        if (compiled.message) encoder = compiled.message();
      }
      return { ...variable, leaf: fields.pop()!, parents: fields };
    });
  }

  /** Whether the rule has a body; without one only an empty body or `{}` may come. */
  get hasBody(): boolean {
    return this.#body !== undefined;
  }

  /**
   * What path and query say.
   * @param segments raw path segments, the verb removed
   * @param query raw, without "?"
   * @throws StatusError INVALID_ARGUMENT
   */
  overlay(segments: readonly string[], query: string): Overlay {
    const overlay = new Overlay(this.#encoder, this.#options.reject_collisions);
    for (const { parents, leaf, start, length, multi } of this.#variables) {
      const fixed = this.#binding.template.segments.length;
      const end = start + length === fixed && multi ? segments.length : start + length;
      const text = multi
        ? decodeMultiSegment(segments.slice(start, end).join("/"), this.#options.url_unescape)
        : decodePercent(segments[start]!, "path");
      let node = overlay;
      for (const parent of parents) node = node.descend(parent);
      node.set(leaf, { texts: [text], pairs: false, fixed: true });
    }
    if (typeof this.#body === "object") overlay.claim(this.#body);
    if (query !== "") bindQuery(query, overlay, this.#body, this.#options);
    return overlay;
  }

  /** The request message, framed, when the request has no body. */
  fromNothing(overlay: Overlay): Buffer {
    return this.#body === undefined ? this.fromOverlay(overlay) : this.#withEmptyBody(overlay);
  }

  /** The request message, framed, when there is no body to read. */
  fromOverlay(overlay: Overlay): Buffer {
    return this.#encode(64, (writer) => overlay.write(writer));
  }

  /**
   * The request message, framed, from one JSON text.
   * @param bytes the JSON; empty counts as `{}`
   */
  fromJson(overlay: Overlay, bytes: Buffer): Buffer {
    if (!isUtf8(bytes)) throw malformed("body: not UTF-8");
    const text = bytes.toString("utf8");
    if (this.#body === undefined) return this.#withoutBody(overlay, text);
    if (text === "") return this.#withEmptyBody(overlay);
    if (this.#mask && !overlay.get(this.#mask)) {
      const paths = this.#read(() => bodyMaskText(this.#reader(text), this.#body as FieldEncoder));
      if (paths !== "") overlay.set(this.#mask, { texts: [paths], pairs: false, fixed: false });
    }
    return this.#encode(text.length + 64, (writer) => {
      const reader = this.#reader(text);
      if (this.#body === "*") this.#encoder.json(reader, writer, overlay);
      else this.#bodyField(this.#body!, reader, writer, overlay);
      reader.end();
    });
  }

  #bodyField(field: FieldEncoder, reader: JsonReader, writer: WireWriter, overlay: Overlay): void {
    try {
      if (field.takesNull || !reader.literal("null")) overlay.readOver(field, reader, writer);
    } catch (error) {
      throw error instanceof ValueError ? error.within(field.desc.name) : error;
    }
    overlay.write(writer);
  }

  #withoutBody(overlay: Overlay, text: string): Buffer {
    if (text.trim() !== "" && !/^[ \t\r\n]*\{[ \t\r\n]*\}[ \t\r\n]*$/.test(text)) {
      throw malformed("body: this method takes none");
    }
    return this.fromOverlay(overlay);
  }

  /** An empty body is `{}`: a message it is bound to is then present, anything else is absent. */
  #withEmptyBody(overlay: Overlay): Buffer {
    const field = this.#body;
    if (field === "*" || !field?.message || field.message().wellKnown || overlay.get(field))
      return this.fromOverlay(overlay);
    return this.#encode(64, (writer) => {
      field.wrap(writer, () => {});
      overlay.write(writer);
    });
  }

  /** The request message, framed, around raw bytes. */
  fromRaw(overlay: Overlay, contentType: string, data: Buffer): Buffer {
    return this.#encode(data.length + contentType.length + 64, (writer) => {
      if (this.#body === "*") writeHttpBody(writer, contentType, data);
      else (this.#body as FieldEncoder).wrap(writer, () => writeHttpBody(writer, contentType, data));
      overlay.write(writer);
    });
  }

  #reader(text: string): JsonReader {
    return new JsonReader(text, this.#options.max_depth, this.#options.unknown_json === "ignore");
  }

  #encode(expected: number, write: (writer: WireWriter) => void): Buffer {
    const writer = new WireWriter(expected);
    this.#read(() => write(writer));
    return writer.frame();
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const { field, reason } = error;
      if (field === "") throw malformed(reason);
      throw new StatusError(Code.invalidArgument, `${field}: ${reason}`, { field, cause: error });
    }
  }
}
