import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** A text with a repeated middle, so that large inputs stay small in the file. */
type Repeated = { before?: string; text: string; times: number; after?: string };
type BodySource =
  | string
  | null
  | Repeated
  | { base64: string }
  | { gzip: string }
  | { gzip_zeros: number }
  | { before?: string; open: string; times: number; core: string; close: string; after?: string };

/** One case; the header of transcode.proto explains every key. */
export interface Case {
  readonly id: string;
  readonly area: string;
  readonly class: string;
  readonly proto: { readonly rpc: string; readonly rule: string | null };
  readonly config?: Readonly<Record<string, unknown>>;
  readonly http: {
    readonly method: string;
    readonly url: string | Repeated;
    readonly headers: Readonly<Record<string, string | string[]>>;
    readonly body: BodySource;
  } | null;
  readonly expect: Expectation;
  readonly source?: string;
}

export interface Expectation {
  readonly rpc?: string;
  readonly rpc_request_json?: unknown;
  readonly rpc_requests_json?: readonly unknown[];
  readonly rpc_metadata?: Readonly<Record<string, string | null>>;
  readonly rpc_deadline_ms?: { readonly min: number; readonly max: number } | null;
  readonly http_status?: number;
  readonly response_headers?: Readonly<Record<string, string | null | { contains?: string; set?: string[] }>>;
  readonly response_body?: unknown;
  readonly response_body_text?: string;
  readonly response_body_base64?: string;
  readonly error_code?: string;
  readonly aborted?: boolean;
  readonly load_error?: boolean;
  readonly note?: string;
}

/** The acceptance cases of cases.json. */
export function fileCases(): Case[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, "cases.json"), "utf8")) as Case[];
}

export function targetOf(url: string | Repeated): string {
  return typeof url === "string" ? url : (url.before ?? "") + url.text.repeat(url.times) + (url.after ?? "");
}

/** The body's bytes; null for a request without one. */
export function bodyOf(body: BodySource): Buffer | null {
  if (body === null) return null;
  if (typeof body === "string") return Buffer.from(body);
  if ("base64" in body) return Buffer.from(body.base64, "base64");
  if ("gzip" in body) return gzipSync(body.gzip);
  if ("gzip_zeros" in body) return gzipSync(Buffer.alloc(body.gzip_zeros));
  const inner =
    "open" in body
      ? body.open.repeat(body.times) + body.core + body.close.repeat(body.times)
      : body.text.repeat(body.times);
  return Buffer.from((body.before ?? "") + inner + (body.after ?? ""));
}
