import type { Code, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";
import { BadRequestSchema } from "#gen/google/rpc/error_details_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";

/** What a caller learns from a refused call. */
export interface Refusal {
  code: Code;
  reason: string | undefined;
  /** Fields named in google.rpc.BadRequest. */
  fields: string[];
}

/** How a call was refused; fails the test when it was not. */
export async function refusal(call: Promise<unknown>): Promise<Refusal> {
  const error = (await call.then(
    () => expect.fail("the call was not refused"),
    (error: unknown) => error,
  )) as ConnectError;
  const fields = error.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field) ?? [];
  return { code: error.code, reason: reasonOf(error), fields };
}
