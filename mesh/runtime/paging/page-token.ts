/**
 * DESIGN
 *
 * A page token says behind which row the next page starts, and for which filters:
 *
 *   base64url( version 1 byte | checksum 8 | filters 8 | position, JSON )
 *
 * "filters" is a hash of the filters, so that a token is good for the list it came from and no other. The
 * checksum (a hash of all else) tells a damaged token. It is no signature and needs no key: whoever makes a
 * token up can only choose where to start reading a list that is open to them, and the position is bound
 * as a parameter like any other value of a request.
 */
import { createHash } from "node:crypto";
import { Code } from "@connectrpc/connect";
import type { z } from "zod";
import { ServiceError } from "../rpc/errors.ts";

const version = 1;
const hashLength = 8;
const headLength = 1 + 2 * hashLength;
/** Tokens of one list (AIP-158). */
export interface PageTokens<Position> {
  /** Token of the page behind `position`. `filters` in a fixed order. */
  write(filters: readonly string[], position: Position): string;
  /**
   * Position that a token stands for; undefined for the first page.
   * @throws ServiceError PAGE_TOKEN_INVALID for a token that no reply with these filters gave
   */
  read(filters: readonly string[], token: string): Position | undefined;
}

/** @param schema what the position of a row is: the values that the list is sorted by */
export function pageTokens<Position>(schema: z.ZodType<Position>): PageTokens<Position> {
  return {
    write: writePageToken,
    read(filters, token) {
      if (token === "") return undefined;
      const position = schema.safeParse(readPageToken(filters, token));
      if (!position.success) throw invalid("is not a token of a list reply");
      return position.data;
    },
  };
}

function writePageToken(filters: readonly string[], position: unknown): string {
  const body = Buffer.concat([hash(JSON.stringify(filters)), Buffer.from(JSON.stringify(position))]);
  return Buffer.concat([Buffer.of(version), hash(body), body]).toString("base64url");
}

function readPageToken(filters: readonly string[], token: string): unknown {
  const bytes = Buffer.from(token, "base64url");
  // Decoding skips what is not base64url, so only the canonical spelling is a token.
  if (bytes.toString("base64url") !== token || bytes.length <= headLength || bytes[0] !== version)
    throw invalid("is not a token of a list reply");
  const body = bytes.subarray(1 + hashLength);
  if (!bytes.subarray(1, 1 + hashLength).equals(hash(body))) throw invalid("is damaged");
  if (!body.subarray(0, hashLength).equals(hash(JSON.stringify(filters))))
    throw invalid("belongs to a list with other filters");
  try {
    return JSON.parse(body.subarray(hashLength).toString());
  } catch {
    throw invalid("is not a token of a list reply");
  }
}

function hash(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest().subarray(0, hashLength);
}

function invalid(description: string): ServiceError {
  return new ServiceError(Code.InvalidArgument, "PAGE_TOKEN_INVALID", `page_token ${description}`, {
    fields: [{ field: "page_token", description }],
  });
}
