import { join } from "node:path";
import type { Identities, IdentityFiles } from "./identities.ts";
import {
  adminName,
  type Places,
  placesSeenFrom,
  type ServiceEntry,
  type System,
  type Tokens,
} from "./topology.ts";

export type Connections = {
  places: Places;
  identities: Identities;
  /** Database URL of a service that has one. */
  databaseUrl(service: string): string | undefined;
  natsUrl(service: string): string;
  /** Where the keys of users' tokens are that the runner issues; needed where no service does. */
  tokenKeysUrl?: string;
  /** Root of the repository. */
  root: string;
  /** Whether faults may be injected on purpose; not where left out. */
  faults?: boolean;
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
  const { identities, root } = connections;
  const { name } = entry;
  const places = placesSeenFrom(system, name, connections.places);
  const via = (url: string, server: string) =>
    withPort(url, connections.places.port(server), places.port(server));
  const { services, tokens, trustDomain } = system;
  const databaseUrl = connections.databaseUrl(name);
  const others = services.filter((service) => service.name !== name);
  return {
    WEFT_SERVICE: name,
    WEFT_HOST: "127.0.0.1",
    PORT: String(connections.places.port(name)),
    ...(entry.adminPort !== undefined && {
      WEFT_ADMIN_PORT: String(connections.places.port(adminName(name))),
      // So that a replica may come at any time; elsewhere it would be refused, or get all connections.
      WEFT_SHARE_PORT: process.platform === "linux" ? "yes" : "no",
    }),
    ...(databaseUrl && { DATABASE_URL: via(databaseUrl, "postgres") }),
    NATS_URL: via(connections.natsUrl(name), "nats"),
    WEFT_UPSTREAMS: others.map((other) => `${other.name}=${secure(places.url(other.name))}`).join(","),
    // Links are ways through proxies, which the addresses in the registry would lead around.
    WEFT_DISCOVERY: system.link ? "static" : "registry",
    ...identityVariables(identities.filesOf(name)),
    WEFT_TRUST_BUNDLE: identities.bundle,
    WEFT_TRUST_DOMAIN: trustDomain,
    ...keysOf(tokens, places, connections),
    WEFT_TOKEN_ISSUER: tokens.issuer,
    WEFT_TOKEN_AUDIENCE: tokens.audience,
    WEFT_DIRECT_CALLS: "allow",
    WEFT_FAULTS: connections.faults ? "allow" : "deny",
    WEFT_SEED: "development",
    WEFT_SEED_FILE: join(root, "deploy/local/seed.json"),
    ...entry.environment?.(places),
  };
}

/** Where a process finds the keys that check users' tokens. */
function keysOf({ keys }: Tokens, places: Places, { tokenKeysUrl }: Connections): Record<string, string> {
  if (keys) return { WEFT_JWKS_URL: secure(keys.url(places)), WEFT_JWKS_SERVICE: keys.service };
  if (tokenKeysUrl === undefined) throw new Error("nobody issues users' tokens");
  return { WEFT_JWKS_URL: tokenKeysUrl };
}

/**
 * What dashboard/config.ts reads. It calls services as the operator, like cli/ does, and is told of the system what
 * the contract does not say.
 */
export function environmentOfDashboard(
  { services, edge, servers, trustDomain, descriptors, dashboard }: System,
  {
    places,
    identities,
    natsUrl,
    dataDir,
    faults,
  }: { places: Places; identities: Identities; natsUrl: string; dataDir: string; faults: boolean },
): Record<string, string> {
  const placeOf = ({ name, adminPort }: ServiceEntry) => ({
    name,
    url: places.url(name),
    ...(adminPort !== undefined && { adminUrl: places.url(adminName(name)) }),
  });
  const description = {
    edge: placeOf(edge),
    services: services.map(placeOf),
    servers: Object.keys(servers).map((name) => ({ name, port: places.port(name) })),
    dataDir,
    descriptors,
    trustDomain,
    ...dashboard?.settings,
  };
  return {
    WEFT_HOST: "127.0.0.1",
    PORT: String(places.port("dashboard")),
    NATS_URL: natsUrl,
    ...identityVariables(identities.filesOf("operator")),
    WEFT_TRUST_BUNDLE: identities.bundle,
    WEFT_FAULTS: faults ? "allow" : "deny",
    WEFT_SEED: "development",
    WEFT_DASHBOARD: JSON.stringify(description),
  };
}

/**
 * Where processes send their spans: the dashboard keeps the newest. A collector of the reader's, set by the same
 * variable, gets them instead.
 */
export function spansToDashboard(places: Places): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: places.url("dashboard") };
}

/** On one machine every trace is worth having, whoever collects them. */
export const allTraces = { OTEL_TRACES_SAMPLER_ARG: "1" };

/** Where a process finds its certificate. */
export function identityVariables({ certificate, key }: IdentityFiles): Record<string, string> {
  return { WEFT_IDENTITY_CERT: certificate, WEFT_IDENTITY_KEY: key };
}

/** Services speak TLS with each other; people and tools may do without (WEFT_DIRECT_CALLS). */
function secure(url: string): string {
  return url.replace(/^http:/, "https:");
}

/** The URL of our own server with another port; somebody else's server is left alone. */
function withPort(url: string, own: number, wanted: number): string {
  const parsed = new URL(url);
  if (own === wanted || parsed.host !== `127.0.0.1:${own}`) return url;
  parsed.port = String(wanted);
  return parsed.href;
}

/** The runner's own settings, npm's, and connections: of these each process gets those made for it. */
const notInherited = /^(npm_|WEFT_|DATABASE_URL|NATS_|PORT$|INIT_CWD$|NODE_ENV$|NODE_COMPILE_CACHE$|VITEST)/;

/** Settings of the edge that the reader may give; the others follow from how the system is run. */
export const settingsOfTheEdge: ReadonlySet<string> = new Set([
  "WEFT_ADDRESS_RATE_LIMIT",
  "WEFT_CORS_ORIGINS",
  "WEFT_FORWARDED_HEADER",
  "WEFT_RATE_LIMIT_KEYS",
  "WEFT_RATE_LIMIT_STORE",
  "WEFT_REQUEST_TIMEOUT_MS",
  "WEFT_SHED_LATE_MS",
  "WEFT_TRUSTED_PROXIES",
]);

/**
 * What every process inherits: the reader's environment, so that a setting of a
 * service can be given on the command line.
 */
export function inheritedEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => settingsOfTheEdge.has(name) || !notInherited.test(name)),
  );
}
