import { promisify } from "node:util";
import zlib from "node:zlib";
import type { HttpRequest } from "./exchange.ts";
import { Code, malformed, StatusError } from "./status.ts";

const gunzip = promisify<Buffer, zlib.ZlibOptions & { info: true }, { buffer: Buffer; engine: zlib.Gunzip }>(
  zlib.gunzip as never,
);

export const tooLarge = (limit: number): StatusError =>
  new StatusError(Code.invalidArgument, `the body is larger than ${limit} bytes`, { httpStatus: 413 });

/**
 * Coding of the body: "identity" or "gzip".
 * @throws StatusError 415 with Accept-Encoding for anything else
 */
export function contentCoding(request: HttpRequest): "identity" | "gzip" {
  const header = String(request.headers["content-encoding"] ?? "")
    .trim()
    .toLowerCase();
  if (header === "" || header === "identity") return "identity";
  if (header === "gzip" || header === "x-gzip") return "gzip";
  throw new StatusError(Code.invalidArgument, "Content-Encoding: only gzip and identity are supported", {
    httpStatus: 415,
    headers: { "accept-encoding": "gzip, identity" },
  });
}

/** Refuses on Content-Length, before a byte is read. */
export function checkLength(request: HttpRequest, limit: number): void {
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge(limit);
}

/** Like `receiveBody`, as a promise. */
export function readBody(request: HttpRequest, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => receiveBody(request, limit, resolve, reject));
}

/**
 * The whole body, decompressed. Exactly one of the functions is called: in the turn in which the body ends, but
 * for gzip.
 * @param limit bytes, before and after decompression
 * @param failed gets a StatusError: 413, 415, or INVALID_ARGUMENT for broken gzip or a body cut short
 */
export function receiveBody(
  request: HttpRequest,
  limit: number,
  received: (bytes: Buffer) => void,
  failed: (error: unknown) => void,
): void {
  try {
    const coding = contentCoding(request);
    checkLength(request, limit);
    collect(
      request,
      limit,
      (bytes) => {
        if (coding === "gzip" && bytes.length > 0) decompress(bytes, limit).then(received, failed);
        else received(bytes);
      },
      failed,
    );
  } catch (error) {
    failed(error);
  }
}

function collect(
  request: HttpRequest,
  limit: number,
  received: (bytes: Buffer) => void,
  failed: (error: StatusError) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  let over = false;
  const fail = (error: StatusError): void => {
    if (over) return;
    over = true;
    request.off("data", onData);
    failed(error);
  };
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= limit) {
      chunks.push(chunk);
      return;
    }
    request.pause();
    fail(tooLarge(limit));
  };
  const onAborted = (): void => fail(malformed("the body was cut short"));
  request.on("data", onData).on("aborted", onAborted).on("error", onAborted);
  request.on("end", () => {
    if (over) return;
    over = true;
    received(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
  });
}

async function decompress(bytes: Buffer, limit: number): Promise<Buffer> {
  try {
    const { buffer, engine } = await gunzip(bytes, { maxOutputLength: limit, info: true });
    if (engine.bytesWritten < bytes.length) throw malformed("the body has data after its gzip end");
    return buffer;
  } catch (error) {
    if (error instanceof StatusError) throw error;
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(limit);
    throw malformed("the body is not valid gzip");
  }
}
