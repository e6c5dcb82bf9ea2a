/** Codes that Envoy can retry on (x-envoy-retry-grpc-on), and linkerd-proxy as well (retry.linkerd.io/grpc). */
const PROXY_CODES: Readonly<Record<string, string>> = {
  CANCELLED: "cancelled",
  DEADLINE_EXCEEDED: "deadline-exceeded",
  INTERNAL: "internal",
  RESOURCE_EXHAUSTED: "resource-exhausted",
  UNAVAILABLE: "unavailable",
};

/** Names that proxies have for `codes`; those they do not know are retried by the gateway's process. */
export function proxyCodes(codes: readonly string[]): string[] {
  return codes.flatMap((code) => PROXY_CODES[code] ?? []);
}

/** Those of `codes` that no proxy retries. */
export function otherCodes(codes: readonly string[]): string[] {
  return codes.filter((code) => !(code in PROXY_CODES));
}
