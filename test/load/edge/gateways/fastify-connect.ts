/** A gateway as a team writes it by hand with Fastify and connect-node: one route a method, a token check each. */
import type { JsonValue, MessageInitShape } from "@bufbuild/protobuf";
import { type DescMethod, fromJson, toJson } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import Fastify from "fastify";
import { library } from "../contract/books.ts";
import { checkToken } from "./check-token.ts";

const transport = createGrpcTransport({ baseUrl: process.env.UPSTREAM! });
const client = createClient(library, transport) as Record<
  string,
  (
    message: MessageInitShape<DescMethod["input"]>,
    options: { headers: Record<string, string>; timeoutMs: number },
  ) => Promise<never>
>;
const app = Fastify();
app.addHook("onRequest", checkToken);

async function call(name: string, request: JsonValue, authorization: string): Promise<JsonValue> {
  const method = library.method[name]!;
  const message = fromJson(method.input, request);
  const reply = await client[name]!(message, { headers: { authorization }, timeoutMs: 5_000 });
  return toJson(method.output, reply);
}

app.get<{ Params: { bookId: string } }>("/v1/books/:bookId", (request) =>
  call("getBook", { bookId: request.params.bookId }, request.headers.authorization!),
);
app.get<{ Querystring: { pageSize?: string } }>("/v1/books", (request) =>
  call("listBooks", { pageSize: Number(request.query.pageSize ?? 0) }, request.headers.authorization!),
);
app.post("/v1/books", (request) =>
  call("createBook", request.body as JsonValue, request.headers.authorization!),
);
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
