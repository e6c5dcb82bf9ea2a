/**
 * gRPC's own service configuration, one file a service: what a client without a mesh obeys
 * (https://github.com/grpc/grpc/blob/master/doc/service_config.md).
 */
import type { Contract, MeshMethod, RetryRule } from "../../contract/model.ts";
import { protoDuration } from "../../output/duration.ts";
import type { GeneratedFile } from "../../output/generated-file.ts";

export function emitGrpcServiceConfig({ services }: Contract): GeneratedFile[] {
  return services
    .filter(({ methods }) => methods.length > 0)
    .map(({ name, methods }) => ({
      name: `${name}.json`,
      content: `${JSON.stringify(configOf(methods), null, 2)}\n`,
    }));
}

function configOf(methods: readonly MeshMethod[]): object {
  return {
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: methods.map(({ service, name, policy }) => ({
      name: [{ service, method: name }],
      timeout: protoDuration(policy.timeoutMs),
      maxRequestMessageBytes: policy.maxRequestBytes,
      ...(policy.retry && { retryPolicy: retryPolicy(policy.retry) }),
    })),
    // gRFC A6: a token less with each failure, ten successes give one back, no retries below half.
    retryThrottling: { maxTokens: 10, tokenRatio: 0.1 },
  };
}

/** Clients draw each wait from zero to the backoff; there is no limit of one try in the open clients. */
function retryPolicy({ attempts, baseBackoffMs, maxBackoffMs, codes }: RetryRule): object {
  return {
    maxAttempts: attempts,
    initialBackoff: protoDuration(baseBackoffMs),
    maxBackoff: protoDuration(maxBackoffMs),
    backoffMultiplier: 2,
    retryableStatusCodes: codes,
  };
}
