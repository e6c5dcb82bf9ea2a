import type { RetryRule } from "../contract/model.ts";
import { proxyCodes } from "./grpc-retry-codes.ts";

/**
 * Envoy's conditions for the codes of a policy. To a gRPC client UNAVAILABLE also means that no connection was
 * had or that it broke, and a try that took too long: Envoy calls these connect-failure, refused-stream, reset
 * and (for its own 504) gateway-error.
 */
export function envoyRetryOn({ codes }: RetryRule): string[] {
  const known = proxyCodes(codes);
  return codes.includes("UNAVAILABLE")
    ? [...known, "connect-failure", "refused-stream", "reset", "gateway-error"]
    : known;
}
