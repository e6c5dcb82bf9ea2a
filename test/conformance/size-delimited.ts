/** Messages on stdin and stdout of a program under test: four bytes of length (big-endian), then the message. */
import type { Readable, Writable } from "node:stream";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";

export async function* readMessages<D extends DescMessage>(
  input: Readable,
  schema: D,
): AsyncGenerator<MessageShape<D>> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of input) {
    pending = Buffer.concat([pending, chunk as Buffer]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const end = 4 + pending.readUInt32BE(0);
      yield fromBinary(schema, pending.subarray(4, end));
      pending = pending.subarray(end);
    }
  }
}

export function writeMessage<D extends DescMessage>(
  output: Writable,
  schema: D,
  message: MessageInitShape<D>,
): void {
  const bytes = toBinary(schema, create(schema, message));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  output.write(Buffer.concat([length, bytes]));
}
