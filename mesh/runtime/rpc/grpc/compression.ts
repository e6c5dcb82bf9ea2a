/** Message compression (gRPC over HTTP/2, "Message-Encoding"). */
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import type { ReceivedMessage } from "./message.ts";

/** Value of grpc-accept-encoding. Between machines of one data center nothing else pays. */
export const acceptedEncodings = "gzip";

/**
 * The message, decompressed where it has to be.
 * @param encoding header grpc-encoding of the sender
 * @param limit largest message in bytes after decompression
 * @throws ConnectError RESOURCE_EXHAUSTED above the limit, INTERNAL for a compressed message without encoding
 */
export function decompress(
  message: ReceivedMessage,
  encoding: string | undefined,
  limit: number,
): Uint8Array | Promise<Uint8Array> {
  if (!message.compressed) return message.bytes;
  if (encoding === "gzip") return compressionGzip.decompress(message.bytes as Uint8Array<ArrayBuffer>, limit);
  throw new ConnectError("protocol error: compressed message without an encoding", Code.Internal);
}

export function compress(bytes: Uint8Array): Promise<Uint8Array> {
  return compressionGzip.compress(bytes as Uint8Array<ArrayBuffer>);
}

/** Whether the peer takes gzip, by its header grpc-accept-encoding. */
export function acceptsGzip(accepted: string | undefined): boolean {
  return accepted?.split(",").some((name) => name.trim() === "gzip") ?? false;
}

export function isKnownEncoding(encoding: string | undefined): boolean {
  return encoding === undefined || encoding === "gzip" || encoding === "identity";
}
