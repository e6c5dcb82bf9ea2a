/** Reasons of google.rpc.ErrorInfo: those of the mesh from docs/calling.md, those of a contract from its enum. */
import type { DescEnum } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";
import { code, table } from "./markdown.ts";
import { contractFiles, textOf } from "./sources.ts";

export function errorReasonsPage(): string {
  const ofTheMesh = [
    ...textOf("docs/calling.md").matchAll(/^\| `([A-Z0-9_]+)` +\| `([A-Z_]+)` +\| (.*?) *\|$/gm),
  ].map(([, reason = "", status = "", when = ""]) => [code(reason), code(status), when]);
  const enums = contractFiles().flatMap(({ enums }) => enums.filter(({ name }) => name === "ErrorReason"));
  return [
    "# Error reasons",
    "`reason` in the `google.rpc.ErrorInfo` of a refusal, over any protocol; codes become HTTP statuses as google.rpc.Code says. [Calling](../calling.md#errors) shows the bodies.",
    "## Any method",
    table(["Reason", "Code", "When"], ofTheMesh),
    ...enums.map(reasonsOf),
  ].join("\n\n");
}

/** Comments of values read "CODE: when". */
function reasonsOf(enumeration: DescEnum): string {
  const rows = enumeration.values
    .filter(({ number }) => number !== 0)
    .map((value) => {
      const comment = (getComments(value).leading ?? "").trim().replaceAll(/\n ?/g, " ");
      const [, status = "", when = comment] = /^([A-Z_]+): (.*)$/.exec(comment) ?? [];
      return [code(value.name), code(status), when];
    });
  return `## ${enumeration.file.proto.package}\n\n${table(["Reason", "Code", "When"], rows)}`;
}
