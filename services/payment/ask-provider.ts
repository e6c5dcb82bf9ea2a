import { Code } from "@connectrpc/connect";
import { outgoingTimeout } from "#mesh/runtime/rpc/deadline.ts";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { ProviderUnavailableError } from "./provider.ts";

/**
 * Signal for all that one call asks of the provider: aborted after `timeoutMs`, or a little before the
 * deadline of the call when that is sooner.
 */
export function providerSignal(timeoutMs: number): AbortSignal {
  return AbortSignal.timeout(outgoingTimeout(timeoutMs));
}

/**
 * Asks the provider, and stops waiting when `signal` is aborted, whether or not the provider notices.
 * @throws ServiceError PROVIDER_UNAVAILABLE when no answer came; the effect is not known then
 */
export async function askProvider<T>(
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw unavailable();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(unavailable());
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([ask(signal), aborted]);
  } catch (error) {
    throw signal.aborted || error instanceof ProviderUnavailableError ? unavailable() : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function unavailable(): ServiceError {
  return new ServiceError(
    Code.Unavailable,
    "PROVIDER_UNAVAILABLE",
    "the payment provider did not answer; the outcome is not known yet",
  );
}
