/** What mesh/runtime/config.ts reads, as a container gets it. How it proves who it is comes from certificates.ts or a mesh. */
import { EDGE } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { hostOf } from "../../output/resource.ts";
import type { Workload } from "./workload.ts";

/** Secret with the key nats-password. */
export function secretOf(name: string): string {
  return `${name}-bus`;
}

/** Namespace of collectors and of what scrapes. */
export const OBSERVABILITY = "observability";
/** TCP port of the gateway's figures. */
export const adminPort = ({ port }: MeshOptions): number => port + 1;

export function environment({ name, hasDatabase, callees }: Workload, options: MeshOptions): object[] {
  const { tokens, trustDomain, port } = options;
  const url = (callee: string) => `${callee}=http://${hostOf(callee, options)}:${port}`;
  const plain: Record<string, string> = {
    WEFT_SERVICE: name,
    WEFT_HOST: "0.0.0.0",
    PORT: String(port),
    // One copy on each node of the bus.
    WEFT_STREAM_REPLICAS: "3",
    WEFT_UPSTREAMS: callees.map(url).join(","),
    WEFT_TRUST_DOMAIN: trustDomain,
    WEFT_NAMESPACE: options.namespace,
    ...(tokens && {
      WEFT_JWKS_URL: tokens.jwksUrl,
      WEFT_TOKEN_ISSUER: tokens.issuer,
      WEFT_TOKEN_AUDIENCE: tokens.audience,
    }),
    // Limits are counted for all replicas together.
    ...(name === EDGE && { WEFT_RATE_LIMIT_STORE: "nats" }),
    // Its figures must not be on the port that the outside reaches; the network policy lets only their reader in.
    ...(name === EDGE && { WEFT_ADMIN_PORT: String(adminPort(options)), WEFT_ADMIN_HOST: "0.0.0.0" }),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://otel-collector.${OBSERVABILITY}:4318`,
    NODE_ENV: "production",
  };
  return [
    { name: "WEFT_INSTANCE", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    ...Object.entries(plain).map(([key, value]) => ({ name: key, value })),
    fromSecret("NATS_PASSWORD", secretOf(name), "nats-password"),
    { name: "NATS_URL", value: `nats://${name}:$(NATS_PASSWORD)@${hostOf("nats", options)}:4222` },
    // CloudNativePG keeps this secret, and renews it.
    ...(hasDatabase ? [fromSecret("DATABASE_URL", `${name}-db-app`, "uri")] : []),
  ];
}

function fromSecret(name: string, secret: string, key: string): object {
  return { name, valueFrom: { secretKeyRef: { name: secret, key } } };
}
