import type { Binding } from "./http-rules.ts";
import type { JsonReader } from "./json-reader.ts";
import type { FieldEncoder, MessageEncoder } from "./message-encoder.ts";

/**
 * The field a PATCH fills with the paths of its body (option `patch_field_mask`, after grpc-gateway): the
 * only FieldMask of the request, where the body is bound to a message field.
 */
export function maskFieldOf(binding: Binding, encoder: MessageEncoder): FieldEncoder | undefined {
  if (binding.httpMethod !== "PATCH" || typeof binding.body !== "object" || !binding.body.message)
    return undefined;
  const masks = binding.method.input.fields.filter(
    (field) => field.fieldKind === "message" && field.message.typeName === "google.protobuf.FieldMask",
  );
  const named =
    masks.find((field) => field.name === "update_mask") ?? (masks.length === 1 ? masks[0] : undefined);
  return named && named !== binding.body ? encoder.byName.get(named.name) : undefined;
}

/** Proto paths of the leaves of a JSON body, comma-separated; lists, maps and well-known types are leaves. */
export function bodyMaskText(reader: JsonReader, body: FieldEncoder): string {
  const paths: string[] = [];
  if (body.message && reader.peek() === "{") collect(reader, body.message(), "", paths);
  return paths.join(",");
}

function collect(reader: JsonReader, encoder: MessageEncoder, prefix: string, paths: string[]): void {
  reader.open("{");
  if (reader.empty("}")) {
    if (prefix !== "") paths.push(prefix.slice(0, -1));
    return;
  }
  do {
    const field = encoder.byName.get(reader.key());
    const path = prefix + (field?.desc.name ?? "");
    const inner = field?.message?.();
    if (inner && !inner.wellKnown && reader.peek() === "{") collect(reader, inner, `${path}.`, paths);
    else {
      reader.skip();
      if (field) paths.push(path);
    }
  } while (reader.more("}"));
}
