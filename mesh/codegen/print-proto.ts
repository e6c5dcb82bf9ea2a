/**
 * Prints a file descriptor as .proto source. protovalidate's npm package carries the descriptor of
 * buf/validate/validate.proto but not its text, and buf reads text only.
 *
 * Field options are left out: those of validate.proto hold the CEL of the standard rules, which
 * validators bring along themselves.
 */
import type {
  DescEnum,
  DescExtension,
  DescField,
  DescFile,
  DescMessage,
  DescOneof,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

/**
 * Source text of `file` (proto2 or proto3) without comments and options.
 * @throws Error when the file uses a construct that the printer does not know (groups).
 */
export function printProto(file: DescFile): string {
  const syntax = file.proto.syntax === "proto3" ? "proto3" : "proto2";
  const lines = [`syntax = "${syntax}";`, `package ${file.proto.package};`];
  for (const dependency of file.proto.dependency) lines.push(`import "${dependency}";`);
  for (const item of file.enums) lines.push(...printEnum(item));
  for (const item of file.messages) lines.push(...printMessage(item, syntax));
  for (const item of file.extensions) lines.push(...printExtension(item, syntax));
  return `${lines.join("\n")}\n`;
}

function printMessage(message: DescMessage, syntax: string): string[] {
  const body = [
    ...message.nestedEnums.flatMap(printEnum),
    ...message.nestedMessages
      .filter((nested) => !nested.proto.options?.mapEntry)
      .flatMap((m) => printMessage(m, syntax)),
    ...message.nestedExtensions.flatMap((extension) => printExtension(extension, syntax)),
    ...message.members.flatMap((m) => (m.kind === "oneof" ? printOneof(m, syntax) : [printField(m, syntax)])),
    ...message.proto.extensionRange.map(({ start = 0, end = 0 }) =>
      end > 536870911 ? `extensions ${start} to max;` : `extensions ${start} to ${end - 1};`,
    ),
    ...message.proto.reservedRange.map(({ start = 0, end = 0 }) => `reserved ${start} to ${end - 1};`),
    ...message.proto.reservedName.map((name) => `reserved "${name}";`),
  ];
  return [`message ${message.name} {`, ...body.map((line) => `  ${line}`), "}"];
}

function printEnum(item: DescEnum): string[] {
  return [`enum ${item.name} {`, ...item.values.map((value) => `  ${value.name} = ${value.number};`), "}"];
}

function printOneof(oneof: DescOneof, syntax: string): string[] {
  return [`oneof ${oneof.name} {`, ...oneof.fields.map((field) => `  ${printField(field, syntax)}`), "}"];
}

function printExtension(extension: DescExtension, syntax: string): string[] {
  return [`extend .${extension.extendee.typeName} {`, `  ${printField(extension, syntax)}`, "}"];
}

function printField(field: DescField | DescExtension, syntax: string): string {
  if (field.fieldKind === "map") {
    const value =
      field.mapKind === "scalar"
        ? typeName(field.proto.type ?? 0, "")
        : `.${(field.message ?? field.enum)?.typeName}`;
    return `map<${scalarNames[field.mapKey]}, ${value}> ${field.name} = ${field.number};`;
  }
  const label = field.oneof ? "" : labelOf(field, syntax);
  return `${label}${typeName(field.proto.type ?? 0, field.proto.typeName)} ${field.name} = ${field.number};`;
}

function labelOf({ proto }: DescField | DescExtension, syntax: string): string {
  if (proto.label === Label.REPEATED) return "repeated ";
  if (proto.label === Label.REQUIRED) return "required ";
  return syntax === "proto2" || proto.proto3Optional ? "optional " : "";
}

const scalarNames: Record<number, string> = {
  [Type.DOUBLE]: "double",
  [Type.FLOAT]: "float",
  [Type.INT64]: "int64",
  [Type.UINT64]: "uint64",
  [Type.INT32]: "int32",
  [Type.FIXED64]: "fixed64",
  [Type.FIXED32]: "fixed32",
  [Type.BOOL]: "bool",
  [Type.STRING]: "string",
  [Type.BYTES]: "bytes",
  [Type.UINT32]: "uint32",
  [Type.SFIXED32]: "sfixed32",
  [Type.SFIXED64]: "sfixed64",
  [Type.SINT32]: "sint32",
  [Type.SINT64]: "sint64",
};

function typeName(type: number, reference: string): string {
  if (type === Type.MESSAGE || type === Type.ENUM) return reference;
  const name = scalarNames[type];
  if (!name) throw new Error(`print-proto: field type ${type} is not supported`);
  return name;
}
