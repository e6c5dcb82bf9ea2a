/** Where in the sources something is declared. */
import type { AnyDesc, DescEnum, DescFile, DescMessage } from "@bufbuild/protobuf";

export interface Place {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

// Field numbers of google/protobuf/descriptor.proto.
const FILE = { message: 4, enum: 5, service: 6 };
const MESSAGE = { field: 2, message: 3, enum: 4 };
const [SERVICE_METHOD, ENUM_VALUE] = [2, 2];

export function placeOf(desc: AnyDesc): Place {
  const file = fileOf(desc);
  const wanted = pathOf(desc).join();
  const found = file.proto.sourceCodeInfo?.location.find(({ path }) => path.join() === wanted);
  return { file: file.proto.name, line: (found?.span[0] ?? 0) + 1 };
}

function fileOf(desc: AnyDesc): DescFile {
  if (desc.kind === "file") return desc;
  if (desc.kind === "rpc" || desc.kind === "field" || desc.kind === "enum_value" || desc.kind === "oneof")
    return desc.parent.file;
  return desc.file;
}

function pathOf(desc: AnyDesc): number[] {
  switch (desc.kind) {
    case "service":
      return [FILE.service, desc.file.services.indexOf(desc)];
    case "rpc":
      return [...pathOf(desc.parent), SERVICE_METHOD, desc.parent.methods.indexOf(desc)];
    case "message":
    case "enum":
      return pathOfType(desc);
    case "field":
      return [...pathOf(desc.parent), MESSAGE.field, desc.parent.proto.field.indexOf(desc.proto)];
    case "enum_value":
      return [...pathOf(desc.parent), ENUM_VALUE, desc.parent.values.indexOf(desc)];
    default:
      return [];
  }
}

function pathOfType(desc: DescMessage | DescEnum): number[] {
  const { parent, file } = desc;
  if (desc.kind === "message")
    return parent
      ? [...pathOf(parent), MESSAGE.message, parent.proto.nestedType.indexOf(desc.proto)]
      : [FILE.message, file.proto.messageType.indexOf(desc.proto)];
  return parent
    ? [...pathOf(parent), MESSAGE.enum, parent.proto.enumType.indexOf(desc.proto)]
    : [FILE.enum, file.proto.enumType.indexOf(desc.proto)];
}
