import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Vitest's global set-up: the .proto files of others, which tests of generators compile against. */
export default function fillThirdParty(): void {
  execFileSync(process.execPath, [join(import.meta.dirname, "../../mesh/codegen/fill-third-party.ts")]);
}
