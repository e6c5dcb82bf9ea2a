/** The replies of the library and the requests that ask for them, the same for every gateway. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  createFileRegistry,
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** library.proto with its imports; the README says how it is made. */
export const DESCRIPTORS = join(import.meta.dirname, "library.binpb");
export const SERVICE = "library.v1.LibraryService";

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(DESCRIPTORS)));
export const library = registry.getService(SERVICE)!;

const book = (n: number): JsonValue => ({
  bookId: `0197c0de-0000-7000-8000-${String(n).padStart(12, "0")}`,
  title: `The art of measuring, volume ${n + 1}`,
  authors: ["Ada Vermeer", "Björn Åkesson"],
  priceCents: String(1_999 + n),
  pages: 320 + n,
  binding: n % 2 ? "BINDING_PAPERBACK" : "BINDING_HARDCOVER",
  lendable: true,
  createTime: "2026-03-01T08:30:00.250Z",
});

/** A request and the JSON it must be answered with. */
export interface Scenario {
  readonly name: string;
  readonly method: DescMethod;
  readonly httpMethod: "GET" | "POST";
  readonly path: string;
  readonly body: string;
  readonly reply: JsonValue;
}

export const scenarios: readonly Scenario[] = [
  {
    name: "GET one",
    method: library.method.getBook!,
    httpMethod: "GET",
    path: "/v1/books/0197c0de-0000-7000-8000-000000000000",
    body: "",
    reply: book(0),
  },
  {
    name: "GET list of 20",
    method: library.method.listBooks!,
    httpMethod: "GET",
    path: "/v1/books?pageSize=20",
    body: "",
    reply: { books: Array.from({ length: 20 }, (_, n) => book(n)), nextPageToken: "dHdlbnR5" },
  },
  {
    name: "POST 1 kB",
    method: library.method.createBook!,
    httpMethod: "POST",
    path: "/v1/books",
    body: JSON.stringify({
      book: book(0),
      note: "A note that a librarian left, with ”quotes” and a line\nbreak. ".repeat(9),
      shelves: ["north", "first floor", "behind the stairs"],
    }),
    reply: { bookId: "0197c0de-0000-7000-8000-000000000021" },
  },
];

/** The reply of a scenario as a gRPC message, framed. */
export function framedReply({ method, reply }: Scenario): Buffer {
  const message = toBinary(method.output as DescMessage, fromJson(method.output, reply));
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** gRPC request path. */
export const rpcPath = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;
