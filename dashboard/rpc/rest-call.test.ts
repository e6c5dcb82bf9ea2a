import { create, createFileRegistry, fromJson, type JsonObject, setExtension } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_descriptor,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { file_google_api_annotations, http } from "#gen/google/api/annotations_pb.ts";
import { file_google_api_http, type HttpRule, HttpRuleSchema } from "#gen/google/api/http_pb.ts";
import { restCallOf } from "./rest-call.ts";

const string = (name: string, number: number, label = "LABEL_OPTIONAL") => ({
  name,
  jsonName: name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
  number,
  type: "TYPE_STRING",
  label,
});
const message = (name: string, number: number) => ({
  ...string(name, number),
  type: "TYPE_MESSAGE",
  typeName: ".library.v1.Book",
});

/** The call of a method with this rule. */
function callOf(rule: Partial<HttpRule>, request: JsonObject) {
  const file = fromJson(FileDescriptorProtoSchema, {
    name: "library/v1/library.proto",
    package: "library.v1",
    syntax: "proto3",
    dependency: ["google/api/annotations.proto"],
    messageType: [
      {
        name: "Book",
        field: [
          string("book_id", 1),
          string("tags", 2, "LABEL_REPEATED"),
          message("part", 3),
          message("next", 4),
        ],
      },
    ],
    service: [
      {
        name: "Shelf",
        method: [{ name: "Lend", inputType: ".library.v1.Book", outputType: ".library.v1.Book" }],
      },
    ],
  });
  const [method] = file.service[0]!.method;
  method!.options = create(MethodOptionsSchema);
  setExtension(method!.options, http, create(HttpRuleSchema, rule as HttpRule));
  const known = [file_google_api_annotations, file_google_api_http, file_google_protobuf_descriptor];
  const registry = createFileRegistry(file, (name) =>
    known.find(({ proto }) => [name, `${proto.name}.proto`].includes(proto.name)),
  );
  return restCallOf(registry.getService("library.v1.Shelf")!.methods[0]!, request, registry);
}
const get = (value: string) => ({ pattern: { case: "get" as const, value } });
const patch = (value: string) => ({ pattern: { case: "patch" as const, value } });

test("path variables are taken from the message, what is left is the query", () => {
  const request = { bookId: "a/b", tags: ["new", "x&y"], part: { bookId: "p" } };
  expect(callOf(get("/v1/books/{book_id}"), request)).toEqual({
    verb: "GET",
    path: "/v1/books/a%2Fb?tags=new&tags=x%26y&part.bookId=p",
    body: undefined,
  });
});

test("the body is everything else, or one field", () => {
  const request = { bookId: "1", tags: ["new"], part: { bookId: "p" } };
  expect(callOf({ ...patch("/v1/books/{book_id}"), body: "*" }, request)).toMatchObject({
    verb: "PATCH",
    path: "/v1/books/1",
    body: { tags: ["new"], part: { bookId: "p" } },
  });
  expect(
    callOf({ ...patch("/v1/books/{part.book_id}"), body: "next" }, { ...request, next: { bookId: "n" } }),
  ).toEqual({
    verb: "PATCH",
    path: "/v1/books/p?bookId=1&tags=new",
    body: { bookId: "n" },
  });
});

test("a variable of several segments keeps their slashes", () => {
  expect(callOf(get("/v1/{book_id=shelves/*/books/*}"), { bookId: "shelves/1/books/a b" })?.path).toBe(
    "/v1/shelves/1/books/a%20b",
  );
});

test("without a rule, or a value for its variable, there is no such call; the message stays as it was", () => {
  expect(callOf({}, { bookId: "1" })).toBeUndefined();
  const request = { tags: ["new"] };
  expect(callOf(get("/v1/books/{book_id}"), request)).toBeUndefined();
  expect(request).toEqual({ tags: ["new"] });
});
