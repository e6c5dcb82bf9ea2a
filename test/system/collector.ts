/** A collector for tests: takes OTLP traces over HTTP and gives them back span by span. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A span as it came over the wire. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** Empty for a root. */
  parentSpanId: string;
  name: string;
  /** Value of SpanKind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  /** Nanoseconds since 1970. */
  start: bigint;
  end: bigint;
  attributes: Record<string, string | number | boolean>;
  /** Status.code is ERROR. */
  failed: boolean;
  flags: number;
  /** service.name of the process that sent it. */
  service: string;
  resource: Record<string, string | number | boolean>;
}

export interface Collector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Headers of the last request. */
  readonly headers: NodeJS.Dict<string | string[]>;
  /** HTTP status of answers from now on; 200 in the beginning. */
  answer: number;
  /** Resolves once the spans fulfil `done`. */
  until(done: (spans: readonly ReceivedSpan[]) => boolean): Promise<void>;
  stop(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      Object.assign(collector.headers, request.headers);
      const path = request.url === "/v1/traces" && request.method === "POST";
      if (path && collector.answer === 200) collector.spans.push(...decodeTraces(Buffer.concat(chunks)));
      response.writeHead(path ? collector.answer : 404, { "content-type": "application/x-protobuf" }).end();
      for (const look of waiting) look();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    headers: {},
    answer: 200,
    until: (done) =>
      new Promise((resolve) => {
        const look = () => {
          if (!done(collector.spans)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}

type Fields = Map<number, (Uint8Array | number | bigint)[]>;

/** A message's fields by number, whatever they are: what is unknown is kept. */
function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields: Fields = new Map();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const value =
      type === WireType.LengthDelimited
        ? reader.bytes()
        : type === WireType.Bit64
          ? BigInt(reader.fixed64())
          : type === WireType.Bit32
            ? reader.fixed32()
            : BigInt(reader.int64());
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

const messages = (fields: Fields, number: number) => (fields.get(number) ?? []) as Uint8Array[];
const text = (value: unknown) => Buffer.from((value as Uint8Array | undefined) ?? []).toString();
const hex = (value: unknown) => Buffer.from((value as Uint8Array | undefined) ?? []).toString("hex");

/** Every span of an ExportTraceServiceRequest (opentelemetry/proto/collector/trace/v1). */
export function decodeTraces(request: Uint8Array): ReceivedSpan[] {
  return messages(fieldsOf(request), 1).flatMap((resourceSpans) => {
    const parts = fieldsOf(resourceSpans);
    const resource = attributesOf(messages(fieldsOf(messages(parts, 1)[0] as Uint8Array), 1));
    return messages(parts, 2)
      .flatMap((scopeSpans) => messages(fieldsOf(scopeSpans), 2))
      .map((span) => decodeSpan(fieldsOf(span), resource));
  });
}

function decodeSpan(span: Fields, resource: ReceivedSpan["resource"]): ReceivedSpan {
  const one = (number: number) => span.get(number)?.[0];
  const status = one(15) === undefined ? undefined : fieldsOf(one(15) as Uint8Array);
  return {
    traceId: hex(one(1)),
    spanId: hex(one(2)),
    parentSpanId: hex(one(4)),
    name: text(one(5)),
    kind: Number(one(6)),
    start: one(7) as bigint,
    end: one(8) as bigint,
    attributes: attributesOf(messages(span, 9)),
    failed: Number(status?.get(3)?.[0] ?? 0) === 2,
    flags: Number(one(16) ?? 0),
    service: String(resource["service.name"]),
    resource,
  };
}

function attributesOf(pairs: Uint8Array[]): ReceivedSpan["attributes"] {
  return Object.fromEntries(
    pairs.map((pair) => {
      const keyValue = fieldsOf(pair);
      const any = fieldsOf(keyValue.get(2)?.[0] as Uint8Array);
      const value = any.has(1)
        ? text(any.get(1)?.[0])
        : any.has(2)
          ? any.get(2)?.[0] === 1n
          : any.has(3)
            ? Number(any.get(3)?.[0])
            : Buffer.from(BigUint64Array.of(any.get(4)?.[0] as bigint).buffer).readDoubleLE();
      return [text(keyValue.get(1)?.[0]), value];
    }),
  );
}
