import type { AnyDesc, DescFile } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";

/** The comment above an element, one paragraph a line; "" without one. */
export function commentOf(desc: Exclude<AnyDesc, DescFile>): string {
  const { leading = "", trailing = "" } = getComments(desc);
  const lines = (leading || trailing).split("\n").map((line) => line.replace(/^ /, "").trimEnd());
  return unwrap(lines).trim();
}

/** Joins the lines of a paragraph, which are cut for the width of source code; lists and indented text stay. */
function unwrap(lines: readonly string[]): string {
  return lines.reduce((text, line) => {
    const continues =
      text !== "" && !text.endsWith("\n") && line !== "" && !/^(\s|[-*+>#|`]|\d+[.)])/.test(line);
    return text === "" ? line : `${text}${continues ? " " : "\n"}${line}`;
  }, "");
}

/** Paragraphs with an empty line between; undefined when there are none. */
export function paragraphs(...parts: readonly (string | undefined)[]): string | undefined {
  return parts.filter(Boolean).join("\n\n") || undefined;
}
