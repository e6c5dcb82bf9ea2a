/** The shop's examples, read once for each test file. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { Example } from "../../mesh/contracts/examples/example.ts";
import { readExamples } from "../../mesh/contracts/examples/read-examples.ts";
import { type Surface, surfaceOf } from "../../mesh/contracts/surface.ts";

export const root = resolve(import.meta.dirname, "../..");

export function shopSurface(): Surface {
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "gen/descriptors.binpb")));
  return surfaceOf(set, (file) => /^(shop|weft)\//.test(file));
}

/** @throws Error with what is wrong with an example */
export function shopExamples(surface: Surface): readonly Example[] {
  const { examples, problems } = readExamples(root, "test/contract/consumers", surface);
  if (problems.length > 0)
    throw new Error(problems.map(({ file, line, problem }) => `${file}:${line}: ${problem}`).join("\n"));
  return examples;
}
