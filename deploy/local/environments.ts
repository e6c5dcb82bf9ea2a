import { join } from "node:path";
import type { Identities } from "./identities.ts";
import type { Places, ServiceEntry, System } from "./topology.ts";

export type Connections = {
  places: Places;
  identities: Identities;
  /** Database URL of a service that has one. */
  databaseUrl(service: string): string | undefined;
  natsUrl(service: string): string;
  /** Root of the repository. */
  root: string;
};

/**
 * The environment of each process by name, the edge's included: what
 * mesh/runtime/config.ts reads, and nothing of the runner's own secrets.
 */
export function environmentsFor(
  system: System,
  connections: Connections,
): Map<string, Record<string, string>> {
  const { services, edge } = system;
  return new Map([...services, edge].map((entry) => [entry.name, environmentOf(system, entry, connections)]));
}

function environmentOf(
  system: System,
  entry: ServiceEntry,
  connections: Connections,
): Record<string, string> {
  const { places, identities, root } = connections;
  const { name } = entry;
  const { services, tokens, trustDomain } = system;
  const databaseUrl = connections.databaseUrl(name);
  const others = services.filter((service) => service.name !== name);
  return {
    WEFT_SERVICE: name,
    WEFT_HOST: "127.0.0.1",
    PORT: String(places.port(name)),
    ...(databaseUrl && { DATABASE_URL: databaseUrl }),
    NATS_URL: connections.natsUrl(name),
    WEFT_UPSTREAMS: others.map((other) => `${other.name}=${places.url(other.name)}`).join(","),
    WEFT_IDENTITY_KEY: identities.privateKey(name),
    WEFT_TRUST_BUNDLE: identities.bundle,
    WEFT_TRUST_DOMAIN: trustDomain,
    WEFT_JWKS_URL: tokens.jwksUrl(places),
    WEFT_TOKEN_ISSUER: tokens.issuer,
    WEFT_TOKEN_AUDIENCE: tokens.audience,
    WEFT_DIRECT_CALLS: "allow",
    WEFT_SEED: "development",
    WEFT_SEED_FILE: join(root, "deploy/local/seed.json"),
    ...entry.environment?.(places),
  };
}

/**
 * What every process inherits from the runner: the terminal's settings and the
 * reader's own wishes, not the runner's connections.
 */
export function inheritedEnvironment(env: NodeJS.ProcessEnv, compileCache: string): Record<string, string> {
  const names = ["PATH", "HOME", "TZ", "LANG", "TMPDIR", "LOG_LEVEL", "NODE_OPTIONS", "NODE_EXTRA_CA_CERTS"];
  const inherited = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  const wishes = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && /^(OTEL_|SHOP_)/.test(entry[0]),
  );
  return { NODE_COMPILE_CACHE: compileCache, ...Object.fromEntries([...inherited, ...wishes]) };
}
