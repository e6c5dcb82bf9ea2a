/** @grpc/grpc-js with the same messages, no interceptors. */
import { fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { method, path, reply } from "../get-book.ts";

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
server.bindAsync(`127.0.0.1:${process.env.PORT}`, grpc.ServerCredentials.createInsecure(), () => {});
