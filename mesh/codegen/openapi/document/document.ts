/** The OpenAPI 3.1 document. */
import type { DescField, FileRegistry } from "@bufbuild/protobuf";
import type { FieldPolicy } from "#gen/weft/policy/v1/policy_pb.ts";
import { readOption } from "../../read-option.ts";
import { pathText } from "../contract/api-path.ts";
import type { Api } from "../contract/model.ts";
import type { DocumentOptions } from "../options.ts";
import type { JsonObject } from "../schema/json.ts";
import type { SchemaContext } from "../schema/message-schema.ts";
import { SchemaBook } from "../schema/schema-book.ts";
import { conventions } from "./conventions.ts";
import { emitOperation } from "./operation.ts";
import { Refusals } from "./refusals.ts";
import { securitySchemes } from "./security.ts";
import { emitTag } from "./tags.ts";

/** The whole document, ready to be written as JSON. */
export function emitDocument(api: Api, options: DocumentOptions, registry: FileRegistry): JsonObject {
  // Twice: how schemas are named depends on which messages go both ways, known only at the end.
  const draft = new SchemaBook();
  emitPaths(api, contextOf(draft, registry), new Refusals(draft));
  const book = new SchemaBook(draft);
  const refusals = new Refusals(book);
  const paths = emitPaths(api, contextOf(book, registry), refusals);
  // Before the schemas are listed: the responses refer to some.
  const responses = refusals.responses();
  const { operations, unlisted } = api;
  return {
    openapi: "3.1.1",
    info: {
      title: options.title,
      summary: options.summary || undefined,
      description: conventions(operations),
      license: options.license ? { name: options.license, identifier: options.license } : undefined,
      version: options.version,
    },
    servers: options.servers.map((url) => ({ url })),
    tags: api.tags.map((tag) => emitTag(tag, registry)),
    paths,
    components: {
      schemas: book.schemas(),
      responses,
      securitySchemes: securitySchemes(operations),
    },
    "x-not-expressed": unlisted.length > 0 ? unlisted.map((each) => ({ ...each })) : undefined,
  };
}

function emitPaths({ operations }: Api, context: SchemaContext, refusals: Refusals): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const operation of operations) {
    const path = pathText(operation.path);
    paths[path] = { ...paths[path], [operation.verb]: emitOperation(operation, context, refusals) };
  }
  return paths;
}

function contextOf(book: SchemaBook, registry: FileRegistry): SchemaContext {
  return {
    book,
    registry,
    isSensitive: (field: DescField) =>
      readOption<FieldPolicy>(registry, field, "weft.policy.v1.field")?.sensitive ?? false,
  };
}
