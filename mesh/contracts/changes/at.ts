import type { AnyDesc } from "@bufbuild/protobuf";
import type { Change, Touched } from "../change.ts";
import { type Place, placeOf } from "../place.ts";

/**
 * A change of `what`.
 * @param where what is closest to it in the contract as it is now; its old self where nothing is left
 * @param id short: "removed", "timeout"
 */
export function at(
  what: string,
  where: AnyDesc | Place,
  id: string,
  means: string,
  touches: Touched,
): Change {
  const { file, line } = "kind" in where ? placeOf(where) : where;
  return { id: `${what}: ${id}`, file, line, means, touches };
}
