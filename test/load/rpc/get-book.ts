/** The call that is measured: a small request and a reply of about 150 bytes, with the headers of a mesh. */
import { type DescMethodUnary, fromJson, type Message, toBinary } from "@bufbuild/protobuf";
import { frame } from "#mesh/runtime/rpc/grpc/message.ts";
import { pathOf } from "#mesh/runtime/rpc/grpc/unary-methods.ts";
import { framedReply, library, scenarios } from "../edge/contract/books.ts";
import { authorization } from "./identities.ts";

export { library };

const scenario = scenarios[0]!;
export const method = scenario.method as DescMethodUnary;
export const path = pathOf(method);
export const request: Message = fromJson(method.input, { bookId: "0197c0de-0000-7000-8000-000000000000" });
export const reply = fromJson(method.output, scenario.reply);
export const requestFrame = frame(toBinary(method.input, request));
export const replyFrame = framedReply(scenario);

/** Calls in flight at a time, and the deadline of each in milliseconds. */
export const CALLERS = 32;
export const TIMEOUT_MS = 2_000;

export const requestId = "0197c0de-2222-7000-8000-000000000002";
export const sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
export const unsampled = sampled.replace(/01$/, "00");

let calls = 0;
/** Of a trace; one in a hundred is recorded, as by default. */
export const traceparent = (): string => (++calls % 100 === 0 ? sampled : unsampled);

/** What a service of the mesh sends with every call. */
export function meshHeaders(): Record<string, string> {
  return { authorization: authorization(), traceparent: traceparent(), "x-request-id": requestId };
}

/** The service is known from its descriptors only, so its client has no types. */
export type LibraryClient = { getBook(request: Message, options?: object): Promise<Message> };
export const typed = (client: unknown) => client as LibraryClient;
