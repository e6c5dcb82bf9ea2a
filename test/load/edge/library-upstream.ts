/** The gRPC server behind every gateway, in a process of its own: answers each method with one prepared reply. */
import http2, { type ServerHttp2Stream } from "node:http2";
import { framedReply, rpcPath, scenarios } from "./contract/books.ts";

const replies = new Map<string, Buffer>();
for (const scenario of scenarios) {
  replies.set(rpcPath(scenario.method), framedReply(scenario));
  // The relay forwards paths as they come.
  replies.set(`${scenario.httpMethod} ${scenario.path}`, framedReply(scenario));
}

const server = http2.createServer({ settings: { maxConcurrentStreams: 1_000 } });
server.on("stream", (opened, headers) => {
  const stream = opened as ServerHttp2Stream;
  const reply =
    replies.get(headers[":path"] ?? "") ?? replies.get(`${headers[":method"]} ${headers[":path"]}`);
  stream.on("error", () => {}).resume();
  stream.on("end", () => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", ...(reply ? {} : { "grpc-status": "12" }) },
      { waitForTrailers: reply !== undefined },
    );
    stream.end(reply);
  });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
});
server.listen(Number(process.env.PORT), "127.0.0.1");
