/** Client under test: makes the calls that come on stdin through the runtime's transport, tells what came of them. */
import { setTimeout as wait } from "node:timers/promises";
import { create, createRegistry, type DescMessage, type Message } from "@bufbuild/protobuf";
import { type Any, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type CallOptions,
  type Client as ClientOf,
  ConnectError,
  createClient,
  type Transport,
} from "@connectrpc/connect";
import { compressionGzip, createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { grpcTransport } from "#mesh/runtime/rpc/grpc/transport.ts";
import { Http2Sessions } from "#mesh/runtime/rpc/http2-sessions.ts";
import {
  type ClientCompatRequest,
  ClientCompatRequestSchema,
  ClientCompatResponseSchema,
  type ClientResponseResult,
  ClientResponseResultSchema,
} from "./gen/connectrpc/conformance/v1/client_compat_pb.ts";
import {
  type Code,
  Codec,
  Compression,
  HTTPVersion,
  Protocol,
  StreamType,
} from "./gen/connectrpc/conformance/v1/config_pb.ts";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type ConformancePayload,
  ConformancePayloadSchema,
  ConformanceService,
  file_connectrpc_conformance_v1_service,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  UnaryRequestSchema,
  UnimplementedRequestSchema,
} from "./gen/connectrpc/conformance/v1/service_pb.ts";
import { headersOf } from "./headers.ts";
import { readMessages, writeMessage } from "./size-delimited.ts";

type Client = ClientOf<typeof ConformanceService>;

/** Calls at once. More would keep this process so busy that timers of calls fire late. */
const maxRunning = 16;

const running = new Set<Promise<void>>();
for await (const request of readMessages(process.stdin, ClientCompatRequestSchema)) {
  if (running.size >= maxRunning) await Promise.race(running);
  const one = answer(request).finally(() => running.delete(one));
  running.add(one);
}
await Promise.all(running);
process.exit(0);

async function answer(request: ClientCompatRequest): Promise<void> {
  const { testName } = request;
  const { transport, close } = transportFor(request);
  try {
    const value = await call(createClient(ConformanceService, transport), request);
    writeMessage(process.stdout, ClientCompatResponseSchema, {
      testName,
      result: { case: "response", value },
    });
  } catch (error) {
    const value = { message: (error as Error).stack ?? String(error) };
    writeMessage(process.stdout, ClientCompatResponseSchema, { testName, result: { case: "error", value } });
  } finally {
    close();
  }
}

function transportFor(request: ClientCompatRequest): { transport: Transport; close: () => void } {
  const baseUrl = `http://${request.host}:${request.port}`;
  const readMaxBytes = request.messageReceiveLimit || 4 * 1024 * 1024;
  const gzip = request.compression === Compression.GZIP;
  if (request.protocol === Protocol.GRPC) {
    const sessions = new Http2Sessions(baseUrl);
    const compressMinBytes = gzip ? 0 : undefined;
    const transport = grpcTransport({ sessions, interceptors: [], readMaxBytes, compressMinBytes });
    return { transport, close: () => sessions.destroy() };
  }
  const createTransport =
    request.protocol === Protocol.GRPC_WEB ? createGrpcWebTransport : createConnectTransport;
  const transport = createTransport({
    baseUrl,
    httpVersion: request.httpVersion === HTTPVersion.HTTP_VERSION_1 ? "1.1" : "2",
    useBinaryFormat: request.codec === Codec.PROTO,
    useHttpGet: request.useGetHttpMethod,
    acceptCompression: [compressionGzip],
    ...(gzip && { sendCompression: compressionGzip, compressMinBytes: 0 }),
    readMaxBytes,
    jsonOptions: { registry: createRegistry(file_connectrpc_conformance_v1_service) },
    idleConnectionTimeoutMs: 500,
  });
  return { transport, close: () => {} };
}

/** One call, and everything that came of it. */
async function call(client: Client, request: ClientCompatRequest): Promise<ClientResponseResult> {
  const result = create(ClientResponseResultSchema, { numUnsentRequests: 0 });
  const abort = new AbortController();
  const options: CallOptions = {
    signal: abort.signal,
    timeoutMs: request.timeoutMs,
    headers: request.requestHeaders.flatMap(({ name, value }) =>
      value.map((one): [string, string] => [name, one]),
    ),
    onHeader: (headers) => {
      result.responseHeaders = headersOf(headers);
    },
    onTrailer: (trailers) => {
      result.responseTrailers = headersOf(trailers);
    },
  };
  const cancelAfterSend = async () => {
    const timing = request.cancel?.cancelTiming;
    if (!request.cancel || timing?.case === "beforeCloseSend" || timing?.case === "afterNumResponses") return;
    await wait(timing?.case === "afterCloseSendMs" ? timing.value : 0);
    abort.abort();
  };
  try {
    for await (const payload of payloadsOf(client, request, options, cancelAfterSend, abort)) {
      result.payloads.push(payload ?? create(ConformancePayloadSchema));
      const timing = request.cancel?.cancelTiming;
      if (timing?.case === "afterNumResponses" && result.payloads.length === timing.value) abort.abort();
    }
  } catch (reason) {
    const error = ConnectError.from(reason);
    if (result.responseTrailers.length === 0) result.responseTrailers = headersOf(error.metadata);
    result.error = {
      $typeName: "connectrpc.conformance.v1.Error",
      code: error.code as number as Code,
      message: error.rawMessage,
      details: error.details.map((detail) =>
        "desc" in detail
          ? anyPack(detail.desc, create(detail.desc, detail.value))
          : {
              $typeName: "google.protobuf.Any",
              typeUrl: `type.googleapis.com/${detail.type}`,
              value: detail.value,
            },
      ),
    };
  }
  return result;
}

async function* payloadsOf(
  client: Client,
  request: ClientCompatRequest,
  options: CallOptions,
  cancelAfterSend: () => Promise<void>,
  abort: AbortController,
): AsyncGenerator<ConformancePayload | undefined> {
  const first = request.requestMessages[0];
  switch (request.method) {
    case "Unary": {
      const reply = client.unary(unpack(first, UnaryRequestSchema), options);
      void cancelAfterSend();
      yield (await reply).payload;
      return;
    }
    case "IdempotentUnary": {
      const reply = client.idempotentUnary(unpack(first, IdempotentUnaryRequestSchema), options);
      void cancelAfterSend();
      yield (await reply).payload;
      return;
    }
    case "Unimplemented":
      await client.unimplemented(unpack(first, UnimplementedRequestSchema), options);
      return;
    case "ServerStream": {
      const replies = client.serverStream(unpack(first, ServerStreamRequestSchema), options);
      void cancelAfterSend();
      for await (const { payload } of replies) yield payload;
      return;
    }
    case "ClientStream":
      yield (await client.clientStream(all(ClientStreamRequestSchema), options)).payload;
      return;
    case "BidiStream":
      yield* bidi();
      return;
    default:
      throw new Error(`unknown method ${request.method}`);
  }

  /** The request messages; `answered` is waited for after each. */
  async function* all<D extends DescMessage>(
    schema: D,
    answered: () => Promise<void> = async () => {},
  ): AsyncGenerator<ReturnType<typeof unpack<D>>> {
    for (const message of request.requestMessages) {
      await wait(request.requestDelayMs);
      yield unpack(message, schema);
      await answered();
    }
    if (request.cancel?.cancelTiming.case === "beforeCloseSend") abort.abort();
    void cancelAfterSend();
  }

  async function* bidi(): AsyncGenerator<ConformancePayload | undefined> {
    const fullDuplex = request.streamType === StreamType.FULL_DUPLEX_BIDI_STREAM;
    let reply = Promise.withResolvers<void>();
    const answered = async () => {
      if (fullDuplex) await reply.promise;
      reply = Promise.withResolvers<void>();
    };
    for await (const { payload } of client.bidiStream(all(BidiStreamRequestSchema, answered), options)) {
      yield payload;
      reply.resolve();
    }
    reply.resolve();
  }
}

function unpack<D extends DescMessage>(any: Any | undefined, schema: D) {
  const message = any && anyUnpack(any, schema);
  if (!message) throw new Error(`expected a ${schema.typeName}, got ${any?.typeUrl}`);
  return message as Message & typeof message;
}
