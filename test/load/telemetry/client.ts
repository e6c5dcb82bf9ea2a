/** Calls of which BENCH_SAMPLED percent carry the sampled flag; node:http2 alone, so that the server gets the CPU. */
import http2 from "node:http2";
import { makeCalls } from "../rpc/clients/calls.ts";
import { meshHeaders, path, requestFrame, sampled, TIMEOUT_MS, unsampled } from "../rpc/get-book.ts";

const session = http2.connect(`http://127.0.0.1:${process.env.BENCH_TARGET}`);
const every = 100 / Number(process.env.BENCH_SAMPLED);
let headers: Record<string, string> = {};
let calls = 0;

makeCalls(
  () =>
    new Promise((done, fail) => {
      const parent = ++calls % every === 0 ? sampled : unsampled;
      const stream = session.request({ ...headers, traceparent: parent });
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
    headers = {
      ...(await meshHeaders()),
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc+proto",
      te: "trailers",
      "grpc-timeout": `${TIMEOUT_MS}m`,
    };
  },
);
