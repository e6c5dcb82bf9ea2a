/** grpc-gateway: code generated from the same contract, built once with the machine's Go. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DESCRIPTORS } from "../contract/books.ts";
import { Missing } from "./missing.ts";

const SOURCE = join(import.meta.dirname, "grpc-gateway");
const PROTOS = ["weft/policy/v1/policy.proto", "library/v1/library.proto"];

/**
 * @param folder for the build
 * @returns the binary
 * @throws Missing without Go
 */
export function buildGrpcGateway(folder: string): string {
  const build = join(folder, "grpc-gateway");
  const binary = join(build, "gateway");
  if (existsSync(binary)) return binary;
  mkdirSync(build, { recursive: true });
  for (const file of ["main.go", "go.mod", "go.sum"]) copyFileSync(join(SOURCE, file), join(build, file));
  run("go", ["-C", build, "version"]);
  const packages = PROTOS.map((proto) => `M${proto}=bench/gen/${proto.replace(/\/v1.*/, "")}`);
  const plugin = (name: string, ...opt: string[]): object => ({
    local: ["go", "-C", build, "tool", name],
    out: join(build, "gen"),
    opt: ["module=bench/gen", ...packages, ...opt],
  });
  const plugins = [plugin("protoc-gen-go"), plugin("protoc-gen-go-grpc"), plugin("protoc-gen-grpc-gateway")];
  const template = JSON.stringify({ version: "v2", plugins });
  const buf = join(import.meta.dirname, "../../../../node_modules/.bin/buf");
  run(buf, ["generate", DESCRIPTORS, "--template", template, ...PROTOS.flatMap((path) => ["--path", path])]);
  run("go", ["-C", build, "build", "-o", "gateway", "."]);
  return binary;
}

function run(program: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (error && program === "go") throw new Missing("needs Go");
  if (error || status !== 0) throw new Missing(`${program} ${args[0]}: ${error?.message ?? stderr.trim()}`);
}
