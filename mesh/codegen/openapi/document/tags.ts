import type { Registry } from "@bufbuild/protobuf";
import type { Tag } from "../contract/model.ts";
import { commentOf, paragraphs } from "../schema/comments.ts";
import type { JsonObject } from "../schema/json.ts";

/** A service as a tag, with the reasons its errors give: the values of the enum ErrorReason in its package. */
export function emitTag({ name, service }: Tag, registry: Registry): JsonObject {
  const domain = service.file.proto.package;
  const reasons = (registry.getEnum(`${domain}.ErrorReason`)?.values ?? []).filter(
    ({ number }) => number !== 0,
  );
  const list = reasons.map((reason) => {
    const comment = commentOf(reason);
    return `- \`${reason.name}\`${comment ? `: ${comment}` : ""}`;
  });
  const heading = list.length > 0 ? `Reasons of its errors (domain \`${domain}\`):` : undefined;
  return { name, description: paragraphs(commentOf(service), heading, list.join("\n")) };
}
