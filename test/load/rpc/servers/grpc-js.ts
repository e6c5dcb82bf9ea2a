/** @grpc/grpc-js with the same messages, no interceptors. */
import { fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { method, path, reply } from "../get-book.ts";
import { tlsFiles, usesTls } from "../identities.ts";

const server = new grpc.Server();
server.addService(
  {
    getBook: {
      path,
      requestStream: false,
      responseStream: false,
      requestDeserialize: (bytes: Buffer) => fromBinary(method.input, bytes),
      requestSerialize: (message: Message) => Buffer.from(toBinary(method.input, message)),
      responseSerialize: (message: Message) => Buffer.from(toBinary(method.output, message)),
      responseDeserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
    },
  },
  { getBook: (_call: unknown, done: grpc.sendUnaryData<Message>) => done(null, reply) },
);
const credentials = () => {
  if (!usesTls) return grpc.ServerCredentials.createInsecure();
  const { ca, key, cert } = tlsFiles("library");
  return grpc.ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], true);
};
server.bindAsync(`127.0.0.1:${process.env.PORT}`, credentials(), () => {});
