/** The gateway of a mesh: everything it knows of the services comes from the contract's descriptors. */
import { readFileSync } from "node:fs";
import {
  createFileRegistry,
  type DescService,
  type FileRegistry,
  fromBinary,
  hasOption,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import type { Config } from "#mesh/runtime/config.ts";
import { createUserVerifier } from "#mesh/runtime/identity/user-token.ts";
import { loadWorkload } from "#mesh/runtime/identity/workload.ts";
import { isExposed } from "#mesh/runtime/policy/access.ts";
import { meshNameOf, policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { Http2Sessions } from "#mesh/runtime/rpc/http2-sessions.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { admitCalls } from "./policies/admit-calls.ts";
import { createTranscoder } from "./transcode/transcoder.ts";
import { upstreamCalls } from "./transcode/upstream-call.ts";
