import { promisify } from "node:util";
import zlib from "node:zlib";
import { tooLarge } from "../transcode/request-body.ts";
import { malformed, StatusError } from "../transcode/status.ts";

const gunzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip);

/** A unary call in a query (Connect protocol, "Unary-Get-Request"). */
export interface ConnectGet {
  readonly encoding: string;
  /** @throws StatusError when it is larger than `limit` bytes after decompression, or no gzip */
  message(limit: number): Promise<Buffer>;
}

/**
 * @param query raw, without "?"
 * @returns undefined when the query is no Connect call
 * @throws StatusError INVALID_ARGUMENT for a malformed one
 */
export function parseConnectGet(query: string): ConnectGet | undefined {
  const parameters = new URLSearchParams(query);
  const version = parameters.get("connect");
  const encoding = parameters.get("encoding");
  const message = parameters.get("message");
  if (version === null && (encoding === null || message === null)) return undefined;
  if (version !== null && version !== "v1") throw malformed('connect: must be "v1"');
  if (encoding === null) throw malformed("encoding: is missing");
  if (message === null) throw malformed("message: is missing");
  const compression = parameters.get("compression") || "identity";
  if (compression !== "identity" && compression !== "gzip") {
    throw new StatusError(
      12,
      `compression: "${compression.slice(0, 40)}" is not supported, only gzip and identity are`,
    );
  }
  const base64 = parameters.get("base64") === "1";
  if (base64 && !/^[A-Za-z0-9_+/-]*={0,2}$/.test(message)) throw malformed("message: must be base64");
  const bytes = Buffer.from(message, base64 ? "base64" : "utf8");
  return {
    encoding,
    message: async (limit) => {
      if (compression === "gzip") return inflate(bytes, limit);
      if (bytes.length > limit) throw tooLarge(limit);
      return bytes;
    },
  };
}

async function inflate(bytes: Buffer, limit: number): Promise<Buffer> {
  try {
    return await gunzip(bytes, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(limit);
    throw malformed("message: not valid gzip");
  }
}
