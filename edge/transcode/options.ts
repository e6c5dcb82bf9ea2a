/**
 * How lenient the transcoder is and how it writes. The defaults are strict; every option that makes it
 * more lenient exists for clients that move here from another gateway, named in brackets.
 */
export interface TranscoderOptions {
  /** Escapes decoded in multi-segment path variables; `all_except_reserved` keeps RFC 6570 reserved characters (Envoy). */
  url_unescape: "all_except_slash" | "all_except_reserved" | "all";
  /** `?labels[key]=value` fills a map of scalars (grpc-gateway). */
  query_map_brackets: boolean;
  /** "+" in a query is a space; false keeps it (Envoy). */
  query_plus_is_space: boolean;
  /** `ignore` drops query names that are unknown or bound elsewhere (grpc-gateway, ASP.NET). */
  unknown_query: "reject" | "ignore";
  /** Query names dropped in any case, for example an API key. */
  ignored_query: readonly string[];
  /** `ignore` drops JSON fields the message does not have, and enum names it does not know (grpc-gateway, Vanguard). */
  unknown_json: "reject" | "ignore";
  /** 400 where the body gives a path-bound field another value (Envoy); otherwise the path wins. */
  reject_collisions: boolean;
  /** PATCH with a message body fills an unset `update_mask` or only FieldMask field from it (grpc-gateway). */
  patch_field_mask: boolean;
  /** Responses use the names of the .proto file instead of lowerCamelCase. */
  preserve_proto_field_names: boolean;
  /** Responses write enums as numbers. */
  enums_as_ints: boolean;
  /** Responses write fields without presence and lists also when empty (grpc-gateway, ASP.NET). */
  emit_defaults: boolean;
  /** Wraps every message of a response stream in an object with this one key, e.g. `result` (grpc-gateway). */
  stream_envelope: string;
  /** Response metadata key whose value becomes the HTTP status of a success; "" for none. */
  http_code_metadata: string;
  /** Largest request-target in bytes; 414 above. */
  max_url_bytes: number;
  /** Largest body, or message of a client stream, in bytes after decompression; 413 above. */
  max_body_bytes: number;
  /** Deepest nesting of JSON objects and arrays. */
  max_depth: number;
  /** Largest message taken from an upstream, in bytes. */
  max_response_bytes: number;
  /** JSON replies of at least this many bytes are compressed when the client accepts gzip. */
  gzip_from_bytes: number;
}

export const DEFAULT_OPTIONS: TranscoderOptions = {
  url_unescape: "all_except_slash",
  query_map_brackets: false,
  query_plus_is_space: true,
  unknown_query: "reject",
  ignored_query: [],
  unknown_json: "reject",
  reject_collisions: false,
  patch_field_mask: false,
  preserve_proto_field_names: false,
  enums_as_ints: false,
  emit_defaults: false,
  stream_envelope: "",
  http_code_metadata: "",
  max_url_bytes: 16 * 1024,
  max_body_bytes: 4 * 1024 * 1024,
  max_depth: 100,
  max_response_bytes: 64 * 1024 * 1024,
  gzip_from_bytes: 1024,
};

const CHOICES: Partial<Record<keyof TranscoderOptions, readonly string[]>> = {
  url_unescape: ["all_except_slash", "all_except_reserved", "all"],
  unknown_query: ["reject", "ignore"],
  unknown_json: ["reject", "ignore"],
};

/**
 * Options from parsed JSON, defaults filled in.
 * @throws Error naming the key that is unknown or has a wrong value
 */
export function parseOptions(json: unknown): TranscoderOptions {
  if (json === undefined || json === null) return DEFAULT_OPTIONS;
  if (typeof json !== "object" || Array.isArray(json)) throw new Error("options: must be a JSON object");
  const options: Record<string, unknown> = { ...DEFAULT_OPTIONS };
  for (const [key, value] of Object.entries(json)) {
    if (!Object.hasOwn(DEFAULT_OPTIONS, key)) throw new Error(`options: unknown key "${key}"`);
    options[key] = checkedValue(key as keyof TranscoderOptions, value);
  }
  return options as unknown as TranscoderOptions;
}

function checkedValue(key: keyof TranscoderOptions, value: unknown): unknown {
  const choices = CHOICES[key];
  if (choices) {
    if (typeof value === "string" && choices.includes(value)) return value;
    throw new Error(`options: "${key}" must be one of ${choices.join(", ")}`);
  }
  if (key === "http_code_metadata") {
    if (value === true) return "x-http-code";
    if (value === false) return "";
    if (typeof value === "string") return value.toLowerCase();
    throw new Error(`options: "${key}" must be a metadata key`);
  }
  if (key === "stream_envelope" && value === false) return "";
  if (key === "ignored_query") {
    if (Array.isArray(value) && value.every((name) => typeof name === "string")) return value;
    throw new Error(`options: "${key}" must be a list of names`);
  }
  const wanted = typeof DEFAULT_OPTIONS[key];
  const fits =
    typeof value === wanted && (wanted !== "number" || (Number.isSafeInteger(value) && Number(value) > 0));
  if (!fits)
    throw new Error(`options: "${key}" must be a ${wanted === "number" ? "positive integer" : wanted}`);
  return value;
}
