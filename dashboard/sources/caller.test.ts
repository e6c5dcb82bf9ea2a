/** Calls by descriptor and JSON, of a contract of the test's own, over real gRPC. */
import type { AddressInfo } from "node:net";
import {
  create,
  createFileRegistry,
  type DescService,
  fromJson,
  type Message,
  setExtension,
} from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  ServiceOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ServicePolicySchema, service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import type { Workload } from "#mesh/runtime/identity/workload.ts";
import { createRpcServer } from "#mesh/runtime/rpc/rpc-server.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { type CallEvent, Caller } from "./caller.ts";
import type { ContractModel } from "./contract-model.ts";

type Line = Message & { text: string; about?: Message };

const line = { inputType: ".chat.v1.Line", outputType: ".chat.v1.Line" };
const file = fromJson(FileDescriptorProtoSchema, {
  name: "chat/v1/chat.proto",
  package: "chat.v1",
  syntax: "proto3",
  dependency: ["google/protobuf/any.proto"],
  messageType: [
    {
      name: "Line",
      field: [
        { name: "text", jsonName: "text", number: 1, type: "TYPE_STRING", label: "LABEL_OPTIONAL" },
        {
          name: "about",
          jsonName: "about",
          number: 2,
          type: "TYPE_MESSAGE",
          typeName: ".google.protobuf.Any",
          label: "LABEL_OPTIONAL",
        },
      ],
    },
  ],
  service: [
    {
      name: "Chat",
      method: [
        { name: "Say", ...line },
        { name: "Enter", ...line },
        { name: "Hear", ...line, serverStreaming: true },
        { name: "Gather", ...line, clientStreaming: true },
        { name: "Talk", ...line, clientStreaming: true, serverStreaming: true },
      ],
    },
  ],
});
file.service[0]!.options = create(ServiceOptionsSchema);
setExtension(file.service[0]!.options, serviceOption, create(ServicePolicySchema, { name: "chat" }));
const registry = createFileRegistry(file, (name) =>
  name === "google/protobuf/any.proto" ? file_google_protobuf_any : undefined,
);
const chat = registry.getService("chat.v1.Chat") as DescService;
const contract = {
  registry,
  method: (name: string) => chat.methods.find((method) => name === `chat.v1.Chat/${method.name}`),
} as unknown as ContractModel;

let server: FastifyInstance;
let caller: Caller;
let signIns = 0;
const tokens: string[] = [];
beforeAll(async () => {
  const say = async ({ text, about }: Line, { requestHeader }: { requestHeader: Headers }) => {
    tokens.push(requestHeader.get("authorization") ?? "");
    if (text === "fail") throw new ConnectError("not like this", Code.FailedPrecondition);
    return { text: `${text}!`, about };
  };
  const handlers = {
    say,
    enter: ({ text }: Line) => ({ text: `${text} ${++signIns}` }),
    async *hear({ text }: Line) {
      for (const letter of text) yield { text: letter };
    },
    async gather(lines: AsyncIterable<Line>) {
      const all: string[] = [];
      for await (const { text } of lines) all.push(text);
      return { text: all.join(" ") };
    },
    async *talk(lines: AsyncIterable<Line>) {
      for await (const { text } of lines) yield { text: `${text}?` };
    },
  };
  server = await createRpcServer({
    groups: [{ interceptors: [], routes: (router) => router.service(chat, handlers as object) }],
    readMaxBytes: 64 * 1024,
    compressMinBytes: 1_024,
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  const signIn = {
    method: "chat.v1.Chat/Enter",
    accounts: { ann: { text: "token-of-ann" } },
    tokenField: "text",
  };
  const system = { edge: { name: "edge", url }, services: [], signIn };
  caller = new Caller(system, contract, {} as Workload, createLogger("test", "silent"));
});
afterAll(async () => {
  caller?.close();
  await server?.close();
});

/** What happens in a call: each message as it came, and the code of its end. */
async function call(name: string, messages: string[], user = "") {
  const method = contract.method(`chat.v1.Chat/${name}`)!;
  const events: CallEvent[] = [];
  for await (const event of caller.call({ method, messages, edge: true, user }, AbortSignal.timeout(10_000)))
    events.push(event);
  const end = events.at(-1);
  return {
    first: events[0]?.kind,
    replies: events.flatMap((event) => (event.kind === "message" ? [event.json.text] : [])),
    json: events.flatMap((event) => (event.kind === "message" ? [event.json] : [])),
    code: end?.kind === "end" ? end.end.code : undefined,
    message: end?.kind === "end" ? end.end.message : undefined,
  };
}
const texts = (...all: string[]) => all.map((text) => JSON.stringify({ text }));

test.each([
  ["Say", ["a"], ["a!"]],
  ["Hear", ["abc"], ["a", "b", "c"]],
  ["Gather", ["a", "b", "c"], ["a b c"]],
  ["Gather", [], [""]],
  ["Talk", ["a", "b"], ["a?", "b?"]],
])("%s of %j answers %j", async (name, said, heard) => {
  const { first, replies, code } = await call(name, texts(...said));
  expect({ first, replies: replies.map((text) => text ?? ""), code }).toEqual({
    first: "begun",
    replies: heard,
    code: "OK",
  });
});

test("a failure is how the call ends, and a message that is none of the method's is refused before it is sent", async () => {
  expect(await call("Say", texts("fail"))).toMatchObject({
    replies: [],
    code: "FAILED_PRECONDITION",
    message: "not like this",
  });
  await expect(call("Gather", ['{"text":"a"}', '{"words":1}'])).rejects.toThrow("messages[1]");
});

test("what stands in an Any is shown by the contract", async () => {
  const about = { "@type": "type.googleapis.com/chat.v1.Line", text: "inner" };
  expect((await call("Say", [JSON.stringify({ text: "a", about })])).json).toEqual([{ text: "a!", about }]);
});

test("calls at once sign in once, and a user that nobody knows is refused", async () => {
  tokens.length = 0;
  await Promise.all([1, 2, 3].map(() => call("Say", texts("a"), "ann")));
  expect(tokens).toEqual(Array(3).fill("Bearer token-of-ann 1"));
  await expect(call("Say", texts("a"), "nobody")).rejects.toThrow('there is no account "nobody"');
});
