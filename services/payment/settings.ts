import { z } from "zod";
import { issuesOf } from "#mesh/runtime/config.ts";

/** payment's own settings, in milliseconds. */
export interface PaymentSettings {
  /** Longest wait for the provider within one call. */
  readonly providerTimeoutMs: number;
  /** When the worker first asks about a payment without a known outcome. */
  readonly checkAfterMs: number;
}

const schema = z.object({
  PAYMENT_PROVIDER_TIMEOUT_MS: z.coerce.number().int().min(100).max(4_000).default(1_500),
  PAYMENT_CHECK_AFTER_MS: z.coerce.number().int().min(100).max(600_000).default(10_000),
});

/**
 * Reads payment's own settings.
 * @throws Error naming every variable that is malformed
 */
export function readSettings(env: NodeJS.ProcessEnv): PaymentSettings {
  const parsed = schema.safeParse(env);
  if (!parsed.success) throw new Error(`configuration: ${issuesOf(parsed.error)}`);
  return {
    providerTimeoutMs: parsed.data.PAYMENT_PROVIDER_TIMEOUT_MS,
    checkAfterMs: parsed.data.PAYMENT_CHECK_AFTER_MS,
  };
}
