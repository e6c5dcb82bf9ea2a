import type { DescEnum } from "@bufbuild/protobuf";
import { commentOf, paragraphs } from "./comments.ts";
import type { Schema } from "./json.ts";
import type { SchemaBook } from "./schema-book.ts";

/** Reference to an enum: its values by name. google.protobuf.NullValue is JSON's null. */
export function enumSchema(desc: DescEnum, book: SchemaBook): Schema {
  if (desc.typeName === "google.protobuf.NullValue") return { type: "null" };
  return book.shared(desc, () => {
    const values = desc.values.map((value) => ({ name: value.name, comment: commentOf(value) }));
    const list = values
      .filter(({ comment }) => comment)
      .map(({ name, comment }) => `- \`${name}\`: ${comment}`);
    return {
      type: "string",
      title: desc.name,
      description: paragraphs(commentOf(desc), list.join("\n")),
      enum: values.map(({ name }) => name),
      deprecated: desc.deprecated || undefined,
    };
  });
}
