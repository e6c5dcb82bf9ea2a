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

/**
 * The whole body, decompressed.
 * @param limit bytes, before and after decompression
 * @throws StatusError 413, or INVALID_ARGUMENT for broken gzip or a body cut short
 */
export async function readBody(request: HttpRequest, limit: number): Promise<Buffer> {
  const coding = contentCoding(request);
  checkLength(request, limit);
  const bytes = await collect(request, limit);
  return coding === "gzip" && bytes.length > 0 ? decompress(bytes, limit) : bytes;
}

function collect(request: HttpRequest, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (done: () => void): void => {
      request.off("data", onData).off("end", onEnd).off("aborted", onAborted).off("error", onAborted);
      done();
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) {
        request.pause();
        settle(() => reject(tooLarge(limit)));
      } else chunks.push(chunk);
    };
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)));
    const onAborted = (): void => settle(() => reject(malformed("the body was cut short")));
    request.on("data", onData).on("end", onEnd).on("aborted", onAborted).on("error", onAborted);
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
