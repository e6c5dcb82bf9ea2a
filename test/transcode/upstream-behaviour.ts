import {
  create,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { messageType, PACKAGE, registry } from "./schema.ts";
import type { RecordedCall } from "./upstream.ts";

/** Ends a call with a status other than OK. */
export class Failure extends Error {
  readonly code: number;
  readonly metadata: Record<string, string>;

  constructor(code: number, message: string, metadata: Record<string, string> = {}) {
    super(message);
    this.code = code;
    this.metadata = metadata;
  }
}

export interface Reply {
  readonly headers: Record<string, string>;
  readonly trailers: Record<string, string>;
  /** Sends the headers now. */
  open(): void;
  send(message: Uint8Array): Promise<void>;
}

interface Context {
  readonly call: RecordedCall;
  readonly reply: Reply;
  readonly messages: AsyncGenerator<Buffer>;
}
type Behaviour = (context: Context) => Promise<void>;
/** A message of a type known only at run time, by local field names. */
type Fields = Record<string, never> & Message;

const bytesOf = (name: string, init: object): Uint8Array =>
  toBinary(messageType(name), create(messageType(name), init as never));
const read = (type: DescMessage, bytes: Uint8Array): Fields =>
  fromBinary(type, bytes, { recursionLimit: 1_000 } as never) as Fields;

async function only(messages: AsyncGenerator<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const message of messages) all.push(message);
  if (all.length !== 1) throw new Failure(13, `${all.length} request messages for a unary call`);
  return all[0]!;
}

/** Answers one message of the type with what `answer` makes of it. */
function unary(type: string, answer: (request: Fields, context: Context) => Uint8Array): Behaviour {
  return async (context) => {
    const request = read(messageType(`${PACKAGE}.${type}`), await only(context.messages));
    await context.reply.send(answer(request, context));
  };
}

async function echo({ messages, reply }: Context): Promise<void> {
  for await (const message of messages) await reply.send(message);
}

function watch(): Behaviour {
  return async ({ messages, reply }) => {
    const request = read(messageType(`${PACKAGE}.WatchRequest`), await only(messages)) as unknown as {
      count: number;
      prefix: string;
      failCode: number;
      failAfter: number;
    };
    for (let n = 1; n <= request.count; n++) {
      if (request.failCode && n > request.failAfter) break;
      await reply.send(bytesOf(`${PACKAGE}.Text`, { text: `${request.prefix}${n}`, num: BigInt(n) }));
    }
    if (request.failCode) throw new Failure(request.failCode, "failed");
  };
}

const download: Behaviour = async ({ messages, reply }) => {
  const request = read(messageType(`${PACKAGE}.DownloadRequest`), await only(messages)) as unknown as {
    contentType: string;
    data: Uint8Array;
    pieces: number;
    failCode: number;
    failAfter: number;
  };
  const cut = (n: number): number => Math.round((request.data.length * n) / request.pieces);
  for (let n = 0; n < request.pieces; n++) {
    if (request.failCode && n >= request.failAfter) break;
    const contentType = n === 0 ? request.contentType : "";
    await reply.send(
      bytesOf("google.api.HttpBody", { contentType, data: request.data.subarray(cut(n), cut(n + 1)) }),
    );
  }
  if (request.failCode) throw new Failure(request.failCode, "failed");
};

const upload: Behaviour = async ({ messages, reply }) => {
  let first: { id: string; file?: { contentType: string } } | undefined;
  let size = 0n;
  for await (const bytes of messages) {
    const message = read(messageType(`${PACKAGE}.Upload`), bytes) as unknown as {
      id: string;
      file?: { contentType: string; data: Uint8Array };
    };
    first ??= message;
    size += BigInt(message.file?.data.length ?? 0);
  }
  await reply.send(
    bytesOf(`${PACKAGE}.UploadSummary`, {
      id: first?.id ?? "",
      contentType: first?.file?.contentType ?? "",
      size,
    }),
  );
};

const collect: Behaviour = async ({ messages, reply }) => {
  const texts: string[] = [];
  for await (const bytes of messages)
    texts.push(read(messageType(`${PACKAGE}.Everything`), bytes).displayName ?? "");
  await reply.send(bytesOf(`${PACKAGE}.Collected`, { count: texts.length, texts }));
};

const fail = unary("FailRequest", (message) => {
  const request = message as unknown as {
    code: number;
    message: string;
    details: boolean;
    metadata: Record<string, string>;
    unknownDetail: boolean;
    corruptDetails: boolean;
  };
  if (request.code === 0) return bytesOf("google.protobuf.Empty", {});
  const any = (type: string, value: Uint8Array) => ({ typeUrl: `type.googleapis.com/${type}`, value });
  const details = [
    ...(request.details
      ? [
          any("google.rpc.ErrorInfo", bytesOf("google.rpc.ErrorInfo", { reason: "TEST", domain: "bars" })),
          any(
            "google.rpc.BadRequest",
            bytesOf("google.rpc.BadRequest", { fieldViolations: [{ field: "id", description: "bad" }] }),
          ),
        ]
      : []),
    ...(request.unknownDetail ? [any("bars.unknown.v1.Nope", Uint8Array.of(8, 1))] : []),
  ];
  const metadata = { ...request.metadata };
  const status = { code: request.code, message: request.message, details };
  if (request.corruptDetails) metadata["grpc-status-details-bin"] = "//8";
  else if (details.length)
    metadata["grpc-status-details-bin"] = Buffer.from(bytesOf("google.rpc.Status", status)).toString(
      "base64",
    );
  throw new Failure(request.code, request.message, metadata);
});

const report = unary("MetaRequest", (message, { call, reply }) => {
  const request = message as unknown as { setHeader: object; setTrailer: object; id: string };
  Object.assign(reply.headers, request.setHeader);
  Object.assign(reply.trailers, request.setTrailer);
  if (request.id === "fail") {
    reply.open();
    throw new Failure(10, "aborted as asked");
  }
  const deadline =
    call.timeoutMs === null ? undefined : { seconds: BigInt(Math.floor(call.timeoutMs / 1000)), nanos: 0 };
  return bytesOf(`${PACKAGE}.MetaReply`, { received: call.metadata, deadline });
});

const tagged: Behaviour = async ({ messages, reply }) => {
  const message = await only(messages);
  reply.headers.etag = `"v1-${read(messageType(`${PACKAGE}.MetaRequest`), message).id}"`;
  await reply.send(message);
};

const own: Record<string, Behaviour> = {
  "Responses/Nothing": unary("Everything", () => bytesOf("google.protobuf.Empty", {})),
  "Responses/Wrapped": unary("Everything", ({ displayName }) =>
    bytesOf("google.protobuf.StringValue", { value: displayName }),
  ),
  "Responses/AsStruct": unary("Everything", ({ struct }) => {
    const type = messageType("google.protobuf.Struct");
    return toBinary(type, fromJson(type, (struct ?? {}) as JsonValue));
  }),
  "Raw/Download": unary("DownloadRequest", ({ contentType, data }) =>
    bytesOf("google.api.HttpBody", { contentType, data }),
  ),
  "Raw/DownloadField": unary("DownloadRequest", ({ contentType, data }) =>
    bytesOf(`${PACKAGE}.DownloadReply`, { file: { contentType, data } }),
  ),
  "Raw/DownloadStream": download,
  "Raw/UploadStream": upload,
  "Streams/Watch": watch(),
  "Streams/WatchField": watch(),
  "Streams/Collect": collect,
  "Errors/Fail": fail,
  "Meta/Report": report,
  "Meta/Tagged": tagged,
};

/** By `package.Service/Method`. A method whose reply type is its request type echoes. */
export const behaviours: Readonly<Record<string, Behaviour>> = Object.fromEntries(
  [...registry]
    .filter((type) => type.kind === "service" && type.typeName.startsWith(`${PACKAGE}.`))
    .flatMap((service) =>
      service.kind === "service"
        ? service.methods.map((method) => [
            `${service.typeName}/${method.name}`,
            own[`${service.name}/${method.name}`] ?? echo,
          ])
        : [],
    ),
);
