/**
 * Fills third_party/ with the .proto files of others that buf needs, from npm packages, so that
 * generation works without a network. Nothing there is edited or committed.
 */
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { printProto } from "./print-proto.ts";

const root = join(import.meta.dirname, "../..");
const target = join(root, "third_party");

/** Path inside third_party/ and where npm put it. */
const copies: [string, string][] = [
  ...["annotations", "http", "httpbody", "field_behavior", "client", "launch_stage"].map(
    (name): [string, string] => [`google/api/${name}.proto`, `google-proto-files/google/api/${name}.proto`],
  ),
  ...["code", "error_details", "status"].map((name): [string, string] => [
    `google/rpc/${name}.proto`,
    `google-proto-files/google/rpc/${name}.proto`,
  ]),
  ["google/type/money.proto", "google-proto-files/google/type/money.proto"],
  ["grpc/health/v1/health.proto", "grpc-health-check/proto/health/v1/health.proto"],
  ["grpc/reflection/v1/reflection.proto", "@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto"],
  [
    "grpc/reflection/v1alpha/reflection.proto",
    "@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto",
  ],
];

rmSync(target, { recursive: true, force: true });
for (const [to, from] of copies) {
  const source = join(root, "node_modules", from);
  if (!existsSync(source)) throw new Error(`${source} is missing: run npm ci`);
  mkdirSync(dirname(join(target, to)), { recursive: true });
  copyFileSync(source, join(target, to));
}
const validate = join(target, "buf/validate/validate.proto");
mkdirSync(dirname(validate), { recursive: true });
writeFileSync(validate, printProto(file_buf_validate_validate));
