import { z } from "zod";
import { issuesOf } from "#mesh/runtime/config.ts";

const schema = z.object({
  WEFT_TOKEN_ISSUER: z.string().min(1).max(200),
  WEFT_TOKEN_AUDIENCE: z.string().min(1).max(200),
});

/** Settings of auth's own. */
export interface AuthConfig {
  /** Claims `iss` and `aud` of access tokens; every service expects the same. */
  readonly issuer: string;
  readonly audience: string;
}

/** @throws Error naming every variable that is missing or malformed */
export function readAuthConfig(env: NodeJS.ProcessEnv): AuthConfig {
  const parsed = schema.safeParse(env);
  if (!parsed.success) throw new Error(`configuration: ${issuesOf(parsed.error)}`);
  return { issuer: parsed.data.WEFT_TOKEN_ISSUER, audience: parsed.data.WEFT_TOKEN_AUDIENCE };
}
