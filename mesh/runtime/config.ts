/**
 * Environment of a process, parsed once and strictly: it refuses to start on gaps and says which
 * variable is wrong, never what a secret's value was.
 */
import { z } from "zod";
import type { MeshKind } from "./identity/workload.ts";

/** Service name → base URL, from "NAME=URL,NAME=URL"; undefined for anything else. */
export function readUpstreams(text: string): Map<string, string> | undefined {
  const map = new Map<string, string>();
  for (const entry of text.split(",").filter(Boolean)) {
    const [name, url] = entry.split(/=(.*)/s);
    if (!name || !url || !URL.canParse(url)) return undefined;
    map.set(name, url.replace(/\/$/, ""));
  }
  return map;
}

const upstreams = z.string().transform((text, context) => {
  const map = readUpstreams(text);
  if (map) return map;
  context.addIssue({ code: "custom", message: "must be NAME=URL,NAME=URL" });
  return z.NEVER;
});

const schema = z
  .object({
    WEFT_HOST: z.string().default("127.0.0.1"),
    PORT: z.coerce.number().int().min(0).max(65535),
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
    NATS_URL: z.url({ protocol: /^(nats|tls)$/ }),
    WEFT_STREAM_REPLICAS: z.coerce
      .number()
      .pipe(z.union([z.literal(1), z.literal(3), z.literal(5)]))
      .default(1),
    WEFT_UPSTREAMS: upstreams.default(new Map()),
    WEFT_DISCOVERY: z.enum(["static", "dns", "registry"]).default("static"),
    WEFT_ADDRESS: z.url({ protocol: /^https?$/ }).optional(),
    WEFT_INSTANCE: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,100}$/)
      .optional(),
    WEFT_VERSION: z.string().max(100).default("dev"),
    WEFT_SHED_LATE_MS: z.coerce.number().int().min(0).max(60_000).default(200),
    WEFT_MESH: z.enum(["none", "istio", "istio-ambient", "linkerd"]).default("none"),
    WEFT_IDENTITY_CERT: z.string().min(1).optional(),
    WEFT_IDENTITY_KEY: z.string().min(1).optional(),
    WEFT_TRUST_BUNDLE: z.string().min(1).optional(),
    WEFT_TRUST_DOMAIN: z
      .string()
      .regex(/^[a-z0-9._-]+$/)
      .default("weft.local"),
    WEFT_NAMESPACE: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
      .default("default"),
    WEFT_JWKS_URL: z.url(),
    WEFT_JWKS_SERVICE: z.string().min(1).optional(),
    WEFT_TOKEN_ISSUER: z.string().min(1),
    WEFT_TOKEN_AUDIENCE: z.string().min(1),
    WEFT_DIRECT_CALLS: z.enum(["allow", "deny"]).default("deny"),
    WEFT_FAULTS: z.enum(["allow", "deny"]).default("deny"),
    WEFT_SEED_FILE: z.string().optional(),
    NODE_ENV: z.string().optional(),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  })
  .refine(({ NODE_ENV, WEFT_DIRECT_CALLS }) => NODE_ENV !== "production" || WEFT_DIRECT_CALLS === "deny", {
    path: ["WEFT_DIRECT_CALLS"],
    error: "must not be allow in production",
  })
  .refine(({ NODE_ENV, WEFT_FAULTS }) => NODE_ENV !== "production" || WEFT_FAULTS === "deny", {
    path: ["WEFT_FAULTS"],
    error: "must not be allow in production",
  });

/** Settings of one service or edge process. */
export interface Config {
  /** Address and TCP port to listen on; port 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  /** PostgreSQL of this service; undefined for processes without storage. */
  readonly databaseUrl: string | undefined;
  /** The bus: NATS with JetStream. */
  readonly natsUrl: string;
  /** Copies of each event stream in a NATS cluster. */
  readonly streamReplicas: number;
  /** Service name in the contract → base URL. */
  readonly upstreams: ReadonlyMap<string, string>;
  /** How replicas of upstreams are found; see discovery/README.md. */
  readonly discovery: "static" | "dns" | "registry";
  /** Base URL under which others reach this process; undefined: host and port it listens on. */
  readonly address: string | undefined;
  /** Name of this process among the replicas of its service; undefined: one is made up. */
  readonly instance: string | undefined;
  /** Version of the program, for those who look. */
  readonly version: string;
  /** 99th percentile of the event loop's delay above which calls are given up, in milliseconds; 0 for never. */
  readonly shedLateMs: number;
  /** Who proves workloads' identities: the kit itself, by certificates, or a mesh. */
  readonly mesh: MeshKind;
  /** PEM files with this workload's certificate, its private key, and the roots; needed without a mesh. */
  readonly identityCertFile: string | undefined;
  readonly identityKeyFile: string | undefined;
  readonly trustBundleFile: string | undefined;
  /** Where workloads' names are unique: spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/NAME. */
  readonly trustDomain: string;
  readonly namespace: string;
  /** Where the keys are that check users' access tokens. */
  readonly jwksUrl: string;
  /** Service of the mesh that answers at `jwksUrl`, over TLS between workloads; undefined for a server outside. */
  readonly jwksService: string | undefined;
  /** Claims `iss` and `aud` of access tokens: who issues them, and for whom. */
  readonly tokenIssuer: string;
  readonly tokenAudience: string;
  /** Whether callers without a workload identity may call what the edge may. Development only. */
  readonly directCalls: boolean;
  /** Whether faults may be injected on purpose (faults/README.md). Development only. */
  readonly faults: boolean;
  /** JSON file with development data; undefined: no seeding. */
  readonly seedFile: string | undefined;
  /** From which level on lines are logged. */
  readonly logLevel: string;
  /** The raw environment, for a service's own settings. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Parses the environment.
 * @throws Error naming every variable that is missing or malformed
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const parsed = schema.safeParse(env);
  if (!parsed.success) throw new Error(`configuration: ${issuesOf(parsed.error)}`);
  const value = parsed.data;
  return {
    host: value.WEFT_HOST,
    port: value.PORT,
    databaseUrl: value.DATABASE_URL,
    natsUrl: value.NATS_URL,
    streamReplicas: value.WEFT_STREAM_REPLICAS,
    upstreams: value.WEFT_UPSTREAMS,
    discovery: value.WEFT_DISCOVERY,
    address: value.WEFT_ADDRESS?.replace(/\/$/, ""),
    instance: value.WEFT_INSTANCE,
    version: value.WEFT_VERSION,
    shedLateMs: value.WEFT_SHED_LATE_MS,
    mesh: value.WEFT_MESH,
    identityCertFile: value.WEFT_IDENTITY_CERT,
    identityKeyFile: value.WEFT_IDENTITY_KEY,
    trustBundleFile: value.WEFT_TRUST_BUNDLE,
    trustDomain: value.WEFT_TRUST_DOMAIN,
    namespace: value.WEFT_NAMESPACE,
    jwksUrl: value.WEFT_JWKS_URL,
    jwksService: value.WEFT_JWKS_SERVICE,
    tokenIssuer: value.WEFT_TOKEN_ISSUER,
    tokenAudience: value.WEFT_TOKEN_AUDIENCE,
    directCalls: value.WEFT_DIRECT_CALLS === "allow",
    faults: value.WEFT_FAULTS === "allow",
    seedFile: value.WEFT_SEED_FILE,
    logLevel: value.LOG_LEVEL,
    env,
  };
}

/** "NAME: reason; NAME: reason" of a failed parse, without the values. */
export function issuesOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
}
