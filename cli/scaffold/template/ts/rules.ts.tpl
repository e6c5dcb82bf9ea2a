/** Rules of {{a_words}}: no framework, no clock, no database. */
import { Code } from "@connectrpc/connect";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";

/**
 * A title as it is kept: no spaces around it, single ones within.
 * @throws ServiceError TITLE_BLANK when nothing is left
 */
export function titleOf(text: string): string {
  const title = text.trim().replace(/\s+/g, " ");
  if (title !== "") return title;
  throw new ServiceError(Code.InvalidArgument, "TITLE_BLANK", "the title holds nothing but spaces", {
    fields: [{ field: "title", description: "holds nothing but spaces" }],
  });
}

/** There is none with this id, or it is somebody else's. */
export function {{thing}}NotFound(): ServiceError {
  return new ServiceError(Code.NotFound, "{{THING}}_NOT_FOUND", "no such {{words}}");
}
