/** The floor: node:http2 alone, one session, prepared bytes, no message read. */
import http2 from "node:http2";
import { meshHeaders, path, requestFrame, TIMEOUT_MS, traceparent } from "../get-book.ts";
import { scheme, tlsFiles, usesTls } from "../identities.ts";
import { makeCalls } from "./calls.ts";

const session = http2.connect(
  `${scheme}://127.0.0.1:${process.env.BENCH_TARGET}`,
  usesTls ? tlsFiles("edge") : undefined,
);
const headers: Record<string, string> = {
  ":method": "POST",
  ":path": path,
  "content-type": "application/grpc+proto",
  te: "trailers",
  "grpc-timeout": `${TIMEOUT_MS}m`,
};

makeCalls(
  () =>
    new Promise((done, fail) => {
      headers.traceparent = traceparent();
      const stream = session.request(headers);
      let status: unknown;
      stream.on("response", (received) => {
        status = received["grpc-status"];
      });
      stream.on("trailers", (trailers) => {
        status = trailers["grpc-status"];
      });
      stream.on("error", fail);
      stream.on("data", () => {});
      stream.on("end", () => (status === "0" ? done() : fail(new Error(`grpc-status ${status}`))));
      stream.end(requestFrame);
    }),
  async () => {
    Object.assign(headers, meshHeaders());
  },
);
