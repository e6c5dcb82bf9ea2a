/** A gateway as a team writes it by hand with Fastify and grpc-js: plain objects in and out, times converted by hand. */
import { readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { credentials, loadPackageDefinition, Metadata, type ServiceError } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import Fastify from "fastify";
import { DESCRIPTORS } from "../contract/books.ts";
import { checkToken } from "./check-token.ts";

interface Time {
  seconds: string;
  nanos?: number;
}
type Book = Record<string, unknown> & { createTime?: Time | string };
interface Reply extends Book {
  books?: Book[];
}
type Call = (
  request: object,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: ServiceError | null, reply: Reply) => void,
) => void;

const definition = loadFileDescriptorSetFromBuffer(withJsonNames(readFileSync(DESCRIPTORS)), {
  longs: String,
  enums: String,
});
const { library } = loadPackageDefinition(definition) as never as {
  library: { v1: { LibraryService: new (address: string, channel: object) => Record<string, Call> } };
};
const client = new library.v1.LibraryService(
  new URL(process.env.UPSTREAM!).host,
  credentials.createInsecure(),
);

/** The loader camelizes names of .proto files but not those of descriptors. */
function withJsonNames(descriptors: Buffer): Buffer {
  const set = fromBinary(FileDescriptorSetSchema, descriptors);
  for (const { messageType } of set.file)
    for (const message of messageType) for (const field of message.field) field.name = field.jsonName;
  return Buffer.from(toBinary(FileDescriptorSetSchema, set));
}

function call(name: string, request: object, authorization: string): Promise<Reply> {
  const metadata = new Metadata();
  metadata.set("authorization", authorization);
  return new Promise((resolve, reject) =>
    client[name]!(request, metadata, { deadline: Date.now() + 5_000 }, (error, reply) =>
      error ? reject(error) : resolve(reply),
    ),
  );
}

/** RFC 3339 with milliseconds in place of seconds and nanoseconds. */
function withTimeText(book: Book): Book {
  const { seconds, nanos = 0 } = book.createTime as Time;
  book.createTime = new Date(Number(seconds) * 1_000 + nanos / 1e6).toISOString();
  return book;
}

function withTime(book: Book): Book {
  const ms = Date.parse(book.createTime as string);
  return {
    ...book,
    createTime: { seconds: String(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1e6 },
  };
}

const app = Fastify();
app.addHook("onRequest", checkToken);
app.get<{ Params: { bookId: string } }>("/v1/books/:bookId", async (request) =>
  withTimeText(await call("getBook", { bookId: request.params.bookId }, request.headers.authorization!)),
);
app.get<{ Querystring: { pageSize?: string } }>("/v1/books", async (request) => {
  const pageSize = Number(request.query.pageSize ?? 0);
  const reply = await call("listBooks", { pageSize }, request.headers.authorization!);
  for (const book of reply.books ?? []) withTimeText(book);
  return reply;
});
app.post<{ Body: { book: Book } }>("/v1/books", (request) => {
  const body = { ...request.body, book: withTime(request.body.book) };
  return call("createBook", body, request.headers.authorization!);
});
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
