import type { DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { commentOf } from "../../openapi/schema/comments.ts";

/** What a comment in the contract says of a thing: its first paragraph on one line; "" for none. */
export function aboutOf(desc: DescService | DescMethod | DescMessage): string {
  return commentOf(desc).split("\n")[0]!;
}
