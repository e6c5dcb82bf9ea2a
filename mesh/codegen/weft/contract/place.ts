/** Where in the sources an option stands. */
import type { DescFile, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";

/** What options are set on. */
export type Optioned = DescService | DescMethod | DescMessage;

// Field numbers of google/protobuf/descriptor.proto.
const [FILE_MESSAGE, FILE_SERVICE, MESSAGE_NESTED, SERVICE_METHOD] = [4, 6, 3, 2];
const OPTIONS = { service: 3, rpc: 4, message: 7 } as const;

/** Numbers of our options (policy.proto). */
export const extensionNumbers = { service: 72601, rpc: 72602, message: 72603 } as const;

/**
 * "FILE:LINE" of a part of an option, or of the declaration where the option is not written there.
 * @param fields numbers of the fields from the option inwards, as far as they are known
 */
export function placeOf(desc: Optioned, fields: readonly number[] = []): string {
  const declared = declarationPath(desc);
  const option = [...declared, OPTIONS[desc.kind], extensionNumbers[desc.kind]];
  const candidates = fields.map((_, index) => [...option, ...fields.slice(0, fields.length - index)]);
  for (const path of [...candidates, option, declared]) {
    const line = firstLine(desc, path);
    if (line !== undefined) return `${fileOf(desc).proto.name}:${line}`;
  }
  return fileOf(desc).proto.name;
}

function fileOf(desc: Optioned): DescFile {
  return desc.kind === "rpc" ? desc.parent.file : desc.file;
}

function declarationPath(desc: Optioned): number[] {
  switch (desc.kind) {
    case "service":
      return [FILE_SERVICE, desc.file.services.indexOf(desc)];
    case "rpc":
      return [...declarationPath(desc.parent), SERVICE_METHOD, desc.parent.methods.indexOf(desc)];
    case "message":
      return desc.parent
        ? [...declarationPath(desc.parent), MESSAGE_NESTED, desc.parent.proto.nestedType.indexOf(desc.proto)]
        : [FILE_MESSAGE, desc.file.proto.messageType.indexOf(desc.proto)];
  }
}

/** Line, counted from 1, of the first thing that stands at `path` or inside it. */
function firstLine(desc: Optioned, path: readonly number[]): number | undefined {
  const lines = (fileOf(desc).proto.sourceCodeInfo?.location ?? [])
    .filter((location) => path.every((number, index) => location.path[index] === number))
    .map((location) => location.span[0]!);
  return lines.length > 0 ? Math.min(...lines) + 1 : undefined;
}
