import { anySchema } from "../schema/any.ts";
import type { Schema } from "../schema/json.ts";
import type { SchemaBook } from "../schema/schema-book.ts";

/** Reference to google.rpc.Status, whether or not the contract imports it: every error is one. */
export function statusSchema(book: SchemaBook): Schema {
  const any = book.shared({ typeName: "google.protobuf.Any" }, () => anySchema);
  return book.shared({ typeName: "google.rpc.Status" }, () => ({
    type: "object",
    title: "Status",
    description: "An error.",
    properties: {
      code: { type: "integer", format: "int32", description: "gRPC status code (google.rpc.Code)." },
      message: { type: "string", description: "What went wrong, in English, for developers." },
      details: {
        type: "array",
        items: any,
        description:
          "Typed details, such as `google.rpc.ErrorInfo` with a reason for programs, or `google.rpc.BadRequest` with the fields that are wrong.",
      },
    },
  }));
}
