/** Messages pass as the bytes they are: whatever a client and an upstream newer than the contract put into them. */
import { once } from "node:events";
import http2 from "node:http2";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { libraryMethod } from "#mesh/runtime/policy/testdata/library-method.ts";
import { type LibraryEdge, startLibraryEdge } from "../testdata/library-edge.ts";
import { type LibraryUpstream, startLibraryUpstream } from "../testdata/library-upstream.ts";
import { frameMessage } from "../transcode/message-frames.ts";

const PATH = "/library.v1.Library/FindBook";

/** No encoder writes these, and every decoder takes them: nothing may put them right on the way. */
const messages: [string, string][] = [
  ["fields the contract does not know", "0a0161f8ffffff0f2a8a0102c0ff"],
  ["varints longer than need be", "8a8000818000619a8000"],
  ["fields out of order, and the same again", "9a0101620a01610a0162"],
  ["a string that is no UTF-8", "0a02c328"],
  ["what is no message at all", "ffffffffffffffffffffffff"],
  ["nothing", ""],
];

let upstream: LibraryUpstream;
let edge: LibraryEdge;
/** The body of the last request to the upstream; its reply is the same. */
let seen: Buffer;

beforeAll(async () => {
  upstream = await startLibraryUpstream();
  edge = await startLibraryEdge(libraryMethod({}), upstream);
});
afterAll(async () => {
  await edge.stop();
  await upstream.stop();
});
beforeEach(() => {
  upstream.answers.push((stream) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      seen = Buffer.concat(chunks);
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(seen);
    });
  });
});

const post = async (contentType: string, body: Buffer | string): Promise<Buffer> => {
  const headers = { "content-type": contentType };
  const answer = await fetch(edge.url + PATH, {
    method: "POST",
    headers,
    body: new Uint8Array(Buffer.from(body as string)),
  });
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
};

test.each(messages)("gRPC: %s", async (_what, hex) => {
  const frame = frameMessage(Buffer.from(hex, "hex"));
  const session = http2.connect(edge.url);
  const headers = { ":method": "POST", ":path": PATH, "content-type": "application/grpc", te: "trailers" };
  const stream = session.request(headers);
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk)).end(frame);
  await once(stream, "close");
  session.close();
  expect(seen).toEqual(frame);
  expect(Buffer.concat(chunks)).toEqual(frame);
});

test.each(messages)("gRPC-Web: %s", async (_what, hex) => {
  const frame = frameMessage(Buffer.from(hex, "hex"));
  const answer = await post("application/grpc-web+proto", frame);
  expect(seen).toEqual(frame);
  expect(answer.subarray(0, frame.length)).toEqual(frame);
});

test.each(messages)("gRPC-Web as text: %s", async (_what, hex) => {
  const frame = frameMessage(Buffer.from(hex, "hex"));
  const answer = await post("application/grpc-web-text", frame.toString("base64"));
  expect(seen).toEqual(frame);
  const bytes = Buffer.from(answer.toString().replace(/=+(?=[^=])/g, ""), "base64");
  expect(bytes.subarray(0, frame.length)).toEqual(frame);
});

test.each(messages)("Connect: %s", async (_what, hex) => {
  const message = Buffer.from(hex, "hex");
  expect(await post("application/proto", message)).toEqual(message);
  expect(seen).toEqual(frameMessage(message));
});
