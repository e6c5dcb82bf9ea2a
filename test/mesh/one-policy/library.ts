import type { FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { compile } from "../../../mesh/codegen/weft/testdata/compile.ts";

export const SERVICE = "library.shelves.v1.ShelfService";

/** The contract of testdata/, with all that it imports. */
export function compileLibrary(): FileDescriptorSet {
  return compile("test/mesh/one-policy/testdata/library", ["test/mesh/one-policy/testdata"]);
}
