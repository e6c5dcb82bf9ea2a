import { isUtf8 } from "node:buffer";
import type { DescMethod } from "@bufbuild/protobuf";
import { JsonReader } from "../transcode/json-reader.ts";
import { frameMessage } from "../transcode/message-frames.ts";
import { Code, malformed, StatusError } from "../transcode/status.ts";
import { ValueError } from "../transcode/value-error.ts";
import { WireWriter } from "../transcode/wire-writer.ts";
import type { ProtocolSettings } from "./rpc-call.ts";

const MAX_DEPTH = 100;

/** How messages look on the Connect side. */
export interface ConnectCodec {
  readonly name: "json" | "proto";
  /** A request message as gRPC frame. */
  request(bytes: Buffer): Buffer;
  reply(bytes: Buffer): Buffer;
}

/** The codec named in a content type, for the method's message types; undefined for an unknown one. */
export function connectCodec(
  name: string,
  method: DescMethod,
  settings: ProtocolSettings,
): ConnectCodec | undefined {
  if (name === "proto") return { name, request: frameMessage, reply: (bytes) => bytes };
  if (name !== "json") return undefined;
  const encoder = settings.encoders.of(method.input);
  return {
    name,
    request: (bytes) => {
      if (!isUtf8(bytes)) throw malformed("message: not UTF-8");
      const writer = new WireWriter(bytes.length + 64);
      try {
        // Connect clients may be newer than this contract, so fields it does not know are passed over.
        const reader = new JsonReader(bytes.toString("utf8"), MAX_DEPTH, true);
        encoder.json(reader, writer);
        reader.end();
      } catch (error) {
        if (!(error instanceof ValueError)) throw error;
        throw malformed(error.field === "" ? error.reason : `${error.field}: ${error.reason}`);
      }
      return writer.frame();
    },
    reply: (bytes) => {
      try {
        return Buffer.from(settings.decoders.json(method.output, bytes), "latin1");
      } catch (cause) {
        throw new StatusError(Code.internal, "the upstream's reply has no JSON form", { cause });
      }
    },
  };
}
