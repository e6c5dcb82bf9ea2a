import type { Operation } from "../contract/model.ts";
import { paragraphs } from "../schema/comments.ts";

/** What holds for every operation, told once. */
export function conventions(operations: readonly Operation[]): string | undefined {
  const streams = operations.some(({ method }) => method.methodKind === "server_streaming");
  return paragraphs(
    "Requests and replies are ProtoJSON. Names are lowerCamelCase; 64-bit integers are strings; bytes are base64; times are RFC 3339. Replies leave out fields that have their default value, and may gain fields and enum values: ignore those you do not know. Requests with an unknown field, or an unknown query parameter, are refused.",
    "Errors are `google.rpc.Status`: `code` is the gRPC status code, `details` hold typed messages such as `google.rpc.ErrorInfo`, whose `reason` is for programs, and `google.rpc.BadRequest`, which names fields.",
    streams
      ? 'Operations that stream answer with a JSON array, or with `application/x-ndjson` or `text/event-stream` where the header `Accept` asks for it. A failure before the first message has its own status; a later one ends an array early, and is a last `{"error": …}` line or an `error` event in the other two.'
      : undefined,
  );
}
