/**
 * What the dashboard is told by whoever starts it: where everything is, and what is particular to this system.
 * The kit knows no noun of it: accounts, sign-in and timelines are configuration.
 */
import { z } from "zod";
import { issuesOf } from "#mesh/runtime/config.ts";

const place = z.object({
  name: z.string().min(1),
  url: z.url(),
  /** Where its figures are, if not at `url`. */
  adminUrl: z.url().optional(),
});

/** How a development account gets an access token: a call, and where the token stands in its reply. */
const signIn = z.object({
  /** "pkg.v1.Service/Method" */
  method: z.string(),
  /** Request of each account by its name, as proto JSON. */
  accounts: z.record(z.string(), z.record(z.string(), z.unknown())),
  /** Field of the reply, by its JSON name. */
  tokenField: z.string(),
});

/** Things whose history can be read: events that share a key, and methods that tell more. */
const timelineView = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  title: z.string(),
  /** Events about such a thing, by the full name of their message: each has the key as its event key. */
  events: z.array(z.string()).min(1),
  /** Account to ask as. */
  account: z.string(),
  /** The thing itself: method, request field that takes the key, and field of its state. */
  resource: z.object({ method: z.string(), keyField: z.string(), stateField: z.string() }),
  /** What was tried: method, request field that takes the key, and where the steps stand in the reply. */
  steps: z.object({
    method: z.string(),
    keyField: z.string(),
    listField: z.string(),
    nameField: z.string(),
    attemptField: z.string(),
    outcomeField: z.string(),
    reasonField: z.string(),
    startedField: z.string(),
    endedField: z.string(),
    /** Outcomes that are no failure. */
    good: z.array(z.string()),
  }),
});

const systemSchema = z.object({
  title: z.string(),
  edge: place,
  services: z.array(place),
  /** Servers that services use: "postgres", "nats". */
  servers: z.array(z.object({ name: z.string(), port: z.number().int() })),
  /** Folder with logs/, inbox/ and run/. */
  dataDir: z.string(),
  /** Descriptor set of the contract, from the working folder. */
  descriptors: z.string(),
  /** The same with comments. */
  describedContract: z.string(),
  /** Coverage report of the generator. */
  coverage: z.string(),
  trustDomain: z.string(),
  signIn: signIn.optional(),
  timelines: z.array(timelineView).default([]),
});

const schema = z.object({
  WEFT_HOST: z.enum(["127.0.0.1", "::1"]).default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65535),
  NATS_URL: z.url({ protocol: /^(nats|tls)$/ }).optional(),
  WEFT_IDENTITY_CERT: z.string().min(1),
  WEFT_IDENTITY_KEY: z.string().min(1),
  WEFT_TRUST_BUNDLE: z.string().min(1),
  WEFT_FAULTS: z.enum(["allow", "deny"]).default("deny"),
  WEFT_SEED: z.string().optional(),
  WEFT_DASHBOARD: z.string(),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

/** The system that is looked at. */
export type SystemDescription = z.infer<typeof systemSchema>;
/** Its JSON before defaults are filled in. */
export type SystemInput = z.input<typeof systemSchema>;
export type TimelineSettings = z.infer<typeof timelineView>;
export type SignInSettings = z.infer<typeof signIn>;

/** Settings of the dashboard's process. */
export interface DashboardConfig {
  /** Loopback only: there is no login. */
  readonly host: string;
  readonly port: number;
  /** Undefined: no bus to look at. */
  readonly natsUrl: string | undefined;
  /** PEM files of the workload as which services are called, and the roots. */
  readonly identityCertFile: string;
  readonly identityKeyFile: string;
  readonly trustBundleFile: string;
  /** Whether events may be published by hand: "development". */
  readonly development: boolean;
  /** Whether faults may be injected on purpose. */
  readonly faults: boolean;
  /** From which level on lines are logged. */
  readonly logLevel: string;
  readonly system: SystemDescription;
}

/** @throws Error naming every variable, or field of WEFT_DASHBOARD, that is missing or malformed */
export function readDashboardConfig(env: NodeJS.ProcessEnv): DashboardConfig {
  const parsed = schema.safeParse(env);
  if (!parsed.success) throw new Error(`configuration: ${issuesOf(parsed.error)}`);
  const value = parsed.data;
  return {
    host: value.WEFT_HOST,
    port: value.PORT,
    natsUrl: value.NATS_URL,
    identityCertFile: value.WEFT_IDENTITY_CERT,
    identityKeyFile: value.WEFT_IDENTITY_KEY,
    trustBundleFile: value.WEFT_TRUST_BUNDLE,
    development: value.WEFT_SEED === "development",
    faults: value.WEFT_FAULTS === "allow",
    logLevel: value.LOG_LEVEL,
    system: readSystem(value.WEFT_DASHBOARD),
  };
}

function readSystem(text: string): SystemDescription {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error("configuration: WEFT_DASHBOARD: is not JSON");
  }
  const parsed = systemSchema.safeParse(json);
  if (!parsed.success) throw new Error(`configuration: WEFT_DASHBOARD: ${issuesOf(parsed.error)}`);
  return parsed.data;
}
