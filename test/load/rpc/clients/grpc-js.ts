/** @grpc/grpc-js, one channel, with the deadline and the metadata that a service would send. */
import { fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { meshHeaders, method, path, request, TIMEOUT_MS } from "../get-book.ts";
import { tlsFiles, usesTls } from "../identities.ts";
import { makeCalls } from "./calls.ts";

const credentials = () => {
  if (!usesTls) return grpc.credentials.createInsecure();
  const { ca, key, cert } = tlsFiles("edge");
  return grpc.credentials.createSsl(ca, key, cert);
};
// An address is no name for TLS.
const options = { "grpc.ssl_target_name_override": "localhost" };
const client = new grpc.Client(`127.0.0.1:${process.env.BENCH_TARGET}`, credentials(), options);
let headers: [string, string][] = [];
const serialize = (message: Message) => Buffer.from(toBinary(method.input, message));
const deserialize = (bytes: Buffer) => fromBinary(method.output, bytes);

makeCalls(
  () =>
    new Promise((done, fail) => {
      const metadata = new grpc.Metadata();
      for (const [name, value] of headers) metadata.set(name, value);
      const options = { deadline: Date.now() + TIMEOUT_MS };
      client.makeUnaryRequest(path, serialize, deserialize, request, metadata, options, (error) =>
        error ? fail(error) : done(),
      );
    }),
  async () => {
    headers = Object.entries(meshHeaders());
  },
);
