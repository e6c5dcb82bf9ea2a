/** The floor: node:http2 alone, answering prepared bytes without looking at the request. */
import http2, { type ServerHttp2Stream } from "node:http2";
import { replyFrame } from "../get-book.ts";
import { tlsFiles, usesTls } from "../identities.ts";

const settings = { initialWindowSize: 1_048_576 };
const server = usesTls
  ? http2.createSecureServer({ settings, ...tlsFiles("library"), requestCert: true, minVersion: "TLSv1.3" })
  : http2.createServer({ settings });
server.on("stream", (stream: ServerHttp2Stream) => {
  stream.on("error", () => {}).resume();
  stream.on("end", () => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.end(replyFrame);
  });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
});
server.listen(Number(process.env.PORT), "127.0.0.1");
