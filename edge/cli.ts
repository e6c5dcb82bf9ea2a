import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createFileRegistry, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { HttpRule } from "#gen/google/api/http_pb.ts";
import { type EdgeSettings, settingsFromJson } from "./policies/settings.ts";
import { parseOptions, type TranscoderOptions } from "./transcode/options.ts";
import { parseServiceConfig } from "./transcode/service-config.ts";

export const USAGE = `usage: edge --descriptors FILE --upstream SERVICE=URL [--upstream …] --port N
  --descriptors FILE     FileDescriptorSet with imports (buf build -o FILE.binpb)
  --upstream NAME=URL    where a service lives, http://HOST:PORT; NAME is package.Service or '*'
  --http-rules FILE      service configuration as JSON; overrides google.api.http annotations
  --options FILE         transcoder options as JSON
  --policies FILE        rate limits, CORS, trusted proxies, load shedding and so on as JSON; {} for the
                         defaults (see edge/README.md). Without it none of them applies.
  --port N               port to listen on; 0 for a free one
  --host ADDRESS         address to listen on (default 127.0.0.1)`;

export interface EdgeArguments {
  readonly registry: FileRegistry;
  /** Service name or "*" → base URL. */
  readonly upstreams: ReadonlyMap<string, string>;
  readonly httpRules: readonly HttpRule[];
  readonly options: TranscoderOptions;
  /** Undefined: no policies. */
  readonly policies: EdgeSettings | undefined;
  readonly port: number;
  readonly host: string;
}

/**
 * @param args command line without the program's name
 * @throws Error that says which argument or file is wrong
 */
export function parseArguments(args: string[]): EdgeArguments {
  const { values } = parseArgs({
    args,
    options: {
      descriptors: { type: "string" },
      upstream: { type: "string", multiple: true },
      "http-rules": { type: "string" },
      options: { type: "string" },
      policies: { type: "string" },
      port: { type: "string" },
      host: { type: "string", default: "127.0.0.1" },
    },
  });
  const { descriptors, upstream, port } = values;
  if (!descriptors || !upstream || !port)
    throw new Error(`--descriptors, --upstream and --port are required\n${USAGE}`);
  return {
    registry: readDescriptors(descriptors),
    upstreams: new Map(upstream.map(parseUpstream)),
    httpRules: values["http-rules"] ? parseServiceConfig(readJson(values["http-rules"])) : [],
    options: parseOptions(values.options ? readJson(values.options) : undefined),
    policies: values.policies ? settingsFromJson(readJson(values.policies)) : undefined,
    port: parsePort(port),
    host: values.host,
  };
}

function readDescriptors(file: string): FileRegistry {
  try {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));
  } catch (error) {
    throw new Error(`--descriptors ${file}: ${(error as Error).message}`);
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}

function parseUpstream(text: string): [string, string] {
  const equals = text.indexOf("=");
  const url = URL.parse(text.slice(equals + 1));
  if (equals < 1 || !url || !["http:", "https:"].includes(url.protocol)) {
    throw new Error(`--upstream ${text}: want package.Service=http://HOST:PORT`);
  }
  return [text.slice(0, equals), url.origin];
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65535)
    throw new Error(`--port ${text}: want a number from 0 to 65535`);
  return port;
}
