/** Two tokens in one call: no client sends them, so the calls are written by hand. */
import { once } from "node:events";
import tls from "node:tls";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { sign } from "../identity/testdata/forged-tokens.ts";
import { frame } from "./grpc/message.ts";
import { beAttacked, edge, grpc, path, port, request } from "./testdata/attacked-library.ts";
import { forget, library, logged, root, stopAll } from "./testdata/library-mesh.ts";

beforeAll(beAttacked);
beforeEach(forget);
afterAll(stopAll);

test.each([
  ["good and forged", true, false],
  ["forged and good", false, true],
  ["the same good one twice", true, true],
])("two authorization headers are refused: %s", async (_what, first, second) => {
  const token = async (good: boolean) => `Bearer ${await sign(good ? {} : { aud: "other" })}`;
  const both = [await token(first), await token(second)];
  const refused = { reason: "TOKEN_INVALID", caller: "edge", rpc: path.slice(1) };
  const h2 = await socketFor("h2");
  const scheme = [
    [":scheme", "https"],
    [":authority", "library"],
  ] as const;
  h2.write(
    rawCall([
      ...scheme,
      ...Object.entries(grpc()),
      ...both.map((value) => ["authorization", value] as const),
    ]),
  );
  await expect.poll(() => logged).toMatchObject([refused]);
  const h1 = await socketFor("http/1.1");
  const lines = [
    "Host: x",
    "Content-Type: application/json",
    ...both.map((value) => `Authorization: ${value}`),
  ];
  h1.write(`POST ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\nContent-Length: 2\r\n\r\n{}`);
  const [answer] = await once(h1, "data");
  expect(String(answer)).toMatch(/^HTTP\/1.1 401/);
  expect(logged).toMatchObject([refused, refused]);
  expect(library.calls).toBe(0);
});

/** A connection of the edge's. */
async function socketFor(protocol: string): Promise<tls.TLSSocket> {
  const options = { ca: root.certificate, checkServerIdentity: () => undefined, ALPNProtocols: [protocol] };
  const socket = tls.connect({ port, host: "127.0.0.1", ...options, ...edge });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

/** A call as no client of HTTP/2 makes it: its header block is written by hand (RFC 7541, literals without a table). */
function rawCall(fields: readonly (readonly [string, string])[]): Buffer {
  const block = fields.map(([name, value]) => Buffer.concat([Buffer.of(0), literal(name), literal(value)]));
  return Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    rawFrame(4, 0, 0, Buffer.alloc(0)), // SETTINGS
    rawFrame(1, 4, 1, Buffer.concat(block)), // HEADERS
    rawFrame(0, 1, 1, frame(request)), // DATA, the last
  ]);
}

function rawFrame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.set([type, flags], 3);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Length and text; lengths from 127 on take more bytes (RFC 7541 section 5.1). */
function literal(text: string): Buffer {
  const length = [Math.min(text.length, 0x7f)];
  if (text.length >= 0x7f) {
    let rest = text.length - 0x7f;
    for (; rest >= 0x80; rest >>= 7) length.push((rest & 0x7f) | 0x80);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(text)]);
}
