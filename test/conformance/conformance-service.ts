/** ConformanceService as its contract describes it: answers as the request says, and echoes the request. */
import { setTimeout as wait } from "node:timers/promises";
import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type Error as ConformanceError,
  type ConformancePayload,
  ConformancePayload_RequestInfoSchema,
  ConformancePayloadSchema,
  type ConformanceService,
  type Header,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from "./gen/connectrpc/conformance/v1/service_pb.ts";
import { headersOf } from "./headers.ts";

export const conformanceService: Partial<ServiceImpl<typeof ConformanceService>> = {
  async unary(request, context) {
    return {
      payload: await answer(request.responseDefinition, [pack(UnaryRequestSchema, request)], context),
    };
  },
  async idempotentUnary(request, context) {
    const requests = [pack(IdempotentUnaryRequestSchema, request)];
    return { payload: await answer(request.responseDefinition, requests, context) };
  },
  async clientStream(requests, context) {
    const received: Any[] = [];
    let definition: UnaryResponseDefinition | undefined;
    for await (const request of requests) {
      if (received.length === 0) definition = request.responseDefinition;
      received.push(pack(ClientStreamRequestSchema, request));
    }
    return { payload: await answer(definition, received, context) };
  },
  async *serverStream(request, context) {
    const definition = request.responseDefinition;
    setMetadata(definition, context);
    let echo: Any[] | undefined = [pack(ServerStreamRequestSchema, request)];
    for (const data of definition?.responseData ?? []) {
      await wait(definition?.responseDelayMs ?? 0);
      yield { payload: payload(data, echo, context) };
      echo = undefined;
    }
    if (definition?.error) throw errorOf(definition.error, echo, context);
  },
  async *bidiStream(requests, context) {
    let definition: StreamResponseDefinition | undefined;
    let fullDuplex = false;
    let answered = 0;
    let received: Any[] = [];
    for await (const request of requests) {
      if (!definition && received.length === 0) {
        definition = request.responseDefinition;
        fullDuplex = request.fullDuplex;
        setMetadata(definition, context);
      }
      received.push(pack(BidiStreamRequestSchema, request));
      if (!fullDuplex) continue;
      const data = definition?.responseData[answered];
      if (data === undefined) break;
      await wait(definition?.responseDelayMs ?? 0);
      yield { payload: payload(data, received, context, answered++ === 0) };
      received = [];
    }
    const first = answered === 0;
    for (const data of definition?.responseData.slice(answered) ?? []) {
      await wait(definition?.responseDelayMs ?? 0);
      yield { payload: payload(data, answered === 0 ? received : undefined, context) };
      answered++;
    }
    const echo = first && answered === 0 ? received : undefined;
    if (definition?.error) throw errorOf(definition.error, echo, context);
  },
};

async function answer(
  definition: UnaryResponseDefinition | undefined,
  requests: Any[],
  context: HandlerContext,
): Promise<ConformancePayload> {
  setMetadata(definition, context);
  await wait(definition?.responseDelayMs ?? 0);
  if (definition?.response.case === "error") throw errorOf(definition.response.value, requests, context);
  const data = definition?.response.case === "responseData" ? definition.response.value : undefined;
  return payload(data, requests, context);
}

function payload(
  data: Uint8Array | undefined,
  requests: Any[] | undefined,
  context: HandlerContext,
  withHeaders = true,
): ConformancePayload {
  return create(ConformancePayloadSchema, {
    data,
    requestInfo: requests && (withHeaders ? infoOf(requests, context) : { requests }),
  });
}

function infoOf(requests: Any[], context: HandlerContext) {
  const timeoutMs = context.timeoutMs();
  const query = context.requestMethod === "GET" ? new URL(context.url).searchParams : undefined;
  return create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: headersOf(context.requestHeader),
    timeoutMs: timeoutMs === undefined ? undefined : BigInt(Math.ceil(timeoutMs)),
    requests,
    connectGetInfo: query && {
      queryParams: [...query].map(([name, value]) => ({ name, value: [value] })),
    },
  });
}

function errorOf(
  { code, message, details }: ConformanceError,
  echo: Any[] | undefined,
  context: HandlerContext,
): ConnectError {
  const error = new ConnectError(message ?? "", code as number as Code);
  error.details = details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  if (echo) error.details.push({ desc: ConformancePayload_RequestInfoSchema, value: infoOf(echo, context) });
  return error;
}

function setMetadata(
  definition: { responseHeaders: Header[]; responseTrailers: Header[] } | undefined,
  context: HandlerContext,
): void {
  for (const { name, value } of definition?.responseHeaders ?? [])
    for (const one of value) context.responseHeader.append(name, one);
  for (const { name, value } of definition?.responseTrailers ?? [])
    for (const one of value) context.responseTrailer.append(name, one);
}

function pack(schema: DescMessage, message: Message): Any {
  return anyPack(schema, message);
}
