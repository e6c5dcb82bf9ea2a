import { z } from "zod";
import { issuesOf } from "#mesh/runtime/config.ts";
import { DEFAULT_MAX_KEYS } from "./rate-limit-store.ts";

/** A list in JSON, or with commas between in an environment variable. */
const list = z
  .union([z.string().transform((text) => text.split(",")), z.array(z.string())])
  .transform((entries) => entries.map((entry) => entry.trim()).filter(Boolean));

const origin = z.string().refine((text) => text === "*" || URL.parse(text)?.origin === text, {
  error: "must be SCHEME://HOST[:PORT], or * for all",
});

const periods: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const rate = z.string().transform((text, context) => {
  const match = /^(\d{1,9})\/([smh])$/.exec(text);
  if (match && Number(match[1]) > 0) return { requests: Number(match[1]), periodMs: periods[match[2]!]! };
  context.addIssue({
    code: "custom",
    message: "must be a number of requests and /s, /m or /h, such as 100/s",
  });
  return z.NEVER;
});

const milliseconds = (most: number) => z.coerce.number().int().min(0).max(most);

const schema = z.strictObject({
  trusted_proxies: list.default([]),
  forwarded_header: z.enum(["x-forwarded-for", "forwarded"]).default("x-forwarded-for"),
  cors_origins: list.pipe(z.array(origin)).default([]),
  address_rate_limit: rate.optional(),
  rate_limit_store: z.enum(["memory", "nats"]).optional(),
  rate_limit_keys: z.coerce.number().int().min(100).max(10_000_000).default(DEFAULT_MAX_KEYS),
  retries: z.enum(["edge", "mesh"]).default("edge"),
  replicas: z.coerce.number().int().min(1).default(1),
  share_port: z
    .union([z.boolean(), z.enum(["yes", "no"]).transform((word) => word === "yes")])
    .default(false),
  shed_late_ms: milliseconds(60_000).default(100),
  admin_port: z.coerce.number().int().min(0).max(65_535).optional(),
  admin_host: z.string().default("127.0.0.1"),
  request_timeout_ms: milliseconds(3_600_000).default(15_000),
  drain_delay_ms: milliseconds(60_000).default(0),
  grace_ms: milliseconds(600_000).default(8_000),
});

/** What a deployment decides about the edge's policies; the contract decides the rest. edge/README.md says what each does. */
export type EdgeSettings = z.output<typeof schema>;

/**
 * Settings from WEFT_ and the key in upper case.
 * @throws Error naming the variables that are wrong
 */
export function settingsFromEnv(env: NodeJS.ProcessEnv): EdgeSettings {
  const variable = (key: string) => `WEFT_${key.toUpperCase()}`;
  const given = Object.keys(schema.shape)
    .map((key) => [key, env[variable(key)]] as const)
    .filter(([, value]) => value !== undefined && value !== "");
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) issue.path[0] = variable(String(issue.path[0]));
  throw new Error(`configuration: ${issuesOf(parsed.error)}`);
}

/**
 * Settings from parsed JSON.
 * @throws Error naming the keys that are wrong
 */
export function settingsFromJson(json: unknown): EdgeSettings {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Error(`policies: ${issuesOf(parsed.error)}`);
}
