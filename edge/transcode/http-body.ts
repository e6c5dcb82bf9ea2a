import type { DescMessage } from "@bufbuild/protobuf";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** google.api.HttpBody: content_type = 1, data = 2; extensions are not for the HTTP side. */
export interface HttpBody {
  readonly contentType: string;
  readonly data: Buffer;
}

export const isHttpBody = (message: DescMessage | undefined): boolean =>
  message?.typeName === "google.api.HttpBody";

export function writeHttpBody(writer: WireWriter, contentType: string, data: Uint8Array): void {
  if (contentType !== "") {
    writer.varint32(0x0a);
    writer.string(contentType);
  }
  if (data.length > 0) {
    writer.varint32(0x12);
    writer.bytes(data);
  }
}

export function readHttpBody(reader: WireReader): HttpBody {
  let contentType = "";
  let data: Buffer = Buffer.alloc(0);
  while (reader.pos < reader.end) {
    const tag = reader.varint32();
    if (tag === 0x0a) contentType = reader.string();
    else if (tag === 0x12) data = reader.view();
    else reader.skip(tag & 7);
  }
  return { contentType, data };
}
