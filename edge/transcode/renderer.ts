import type { DescField } from "@bufbuild/protobuf";
import type { Slot } from "./field-decoder.ts";
import { type HttpBody, isHttpBody, readHttpBody } from "./http-body.ts";
import type { Binding } from "./http-rules.ts";
import type { MessageDecoder, MessageDecoders } from "./message-decoder.ts";
import { Code, StatusError } from "./status.ts";
import { WireReader } from "./wire-reader.ts";

/** How reply messages of one binding become bodies; compiled at start-up. */
export class Renderer {
  readonly #decoders: MessageDecoders;
  readonly #decoder: MessageDecoder;
  readonly #field: { slot: Slot; empty: string; desc: DescField } | undefined;
  /** Whether replies are raw bytes (google.api.HttpBody) and not JSON. */
  readonly raw: boolean;

  constructor(binding: Binding, decoders: MessageDecoders) {
    const { method, responseBody } = binding;
    this.#decoders = decoders;
    this.#decoder = decoders.of(method.output);
    this.raw = isHttpBody(responseBody ? responseBody.message : method.output);
    if (responseBody) {
      const slot = this.#decoder.slots.find((candidate) => candidate.desc === responseBody)!;
      this.#field = { slot, empty: slot.emptyJson ?? "null", desc: responseBody };
    }
  }

  /**
   * JSON text in bytes (see byte-text.ts) of a reply message, or of the field that is the response body: an absent one is null, or
   * empty where it has no presence.
   * @throws StatusError INTERNAL when the message has no JSON form
   */
  json(message: Buffer): string {
    return representable(() => {
      const { desc } = this.#decoder;
      if (!this.#field) return this.#decoders.json(desc, message);
      return this.#decoders.fieldJson(desc, this.#field.slot, message) ?? this.#field.empty;
    });
  }

  /** The HttpBody a reply is, or holds in its response body field. */
  httpBody(message: Buffer): HttpBody {
    return representable(() => {
      if (!this.#field) return readHttpBody(new WireReader(message));
      const reader = new WireReader(message);
      const parts: Buffer[] = [];
      const tag = (this.#field.desc.number << 3) | 2;
      while (reader.pos < reader.end) {
        const found = reader.varint32();
        if (found === tag) parts.push(reader.view());
        else reader.skip(found & 7);
      }
      return readHttpBody(new WireReader(parts.length === 1 ? parts[0]! : Buffer.concat(parts)));
    });
  }
}

function representable<T>(render: () => T): T {
  try {
    return render();
  } catch (error) {
    throw new StatusError(Code.internal, "the upstream's reply has no JSON form", { cause: error });
  }
}

/**
 * Content-Type for an HttpBody: verbatim, octet-stream for an empty one so that browsers do not guess.
 * @throws StatusError INTERNAL for a value no header can hold
 */
export function contentTypeOf(body: HttpBody): string {
  if (/[^\t\x20-\x7e]/.test(body.contentType))
    throw new StatusError(Code.internal, "the upstream sent an invalid content type");
  return body.contentType || "application/octet-stream";
}
