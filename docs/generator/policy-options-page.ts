/** Every option of weft.policy.v1, with its comment in the contract. */
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";
import { code, table } from "./markdown.ts";
import { contractFiles } from "./sources.ts";

export function policyOptionsPage(): string {
  const file = contractFiles().find(({ proto }) => proto.name === "weft/policy/v1/policy.proto");
  if (!file) throw new Error("the contract has no weft/policy/v1/policy.proto");
  const extensions = file.extensions.map((extension) => [
    code(`(weft.policy.v1.${extension.name})`),
    extension.extendee.name.replace("Options", "").toLowerCase(),
    link(extension.message!.name),
    said(extension),
  ]);
  const messages = file.messages.flatMap(withNested);
  const enums = [...file.enums, ...messages.flatMap(({ nestedEnums }) => nestedEnums)];
  return [
    "# Policy options",
    "What [policy.proto](../../proto/weft/policy/v1/policy.proto) lets a contract say; defaults stand in [brackets]. What becomes of each option in each target: [coverage](../../gen/mesh/coverage.md).",
    table(["Option", "Of a", "Value", ""], extensions),
    ...messages.map(section),
    ...enums.map(values),
  ].join("\n\n");
}

function withNested(message: DescMessage): DescMessage[] {
  return [message, ...message.nestedMessages.flatMap(withNested)];
}

function section(message: DescMessage): string {
  const rows = message.fields.map((field) => [code(field.name), typeOf(field), said(field)]);
  return [
    `## ${message.name}`,
    said(message),
    ...(rows.length > 0 ? [table(["Field", "Type", ""], rows)] : []),
  ].join("\n\n");
}

function values(enumeration: DescEnum): string {
  const rows = enumeration.values.map((value) => [code(value.name), said(value)]);
  return [`## ${enumeration.name}`, said(enumeration), table(["Value", ""], rows)].join("\n\n");
}

function typeOf(field: DescField): string {
  const { typeName } = field.message ?? field.enum ?? {};
  const own = typeName?.startsWith("weft.policy.v1.");
  const text = own
    ? link(typeName!.split(".").at(-1)!)
    : code(typeName ?? ScalarType[field.scalar!].toLowerCase());
  return field.fieldKind === "list" ? `repeated ${text}` : text;
}

const link = (name: string) => `[${name}](#${name.toLowerCase()})`;

function said(desc: Parameters<typeof getComments>[0]): string {
  return (getComments(desc).leading ?? "").trim().replaceAll(/\n ?/g, " ");
}
