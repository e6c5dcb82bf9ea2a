/** From the process to one callee: time, retries, and a cluster for each set of limits. */
import type { MeshMethod, RetryRule } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { protoDuration } from "../../output/duration.ts";
import { envoyRetryOn } from "../envoy-retry-on.ts";
import { groupMethods } from "../method-groups.ts";
import { limitsOf } from "../traffic-limits.ts";
import { calleeCluster } from "./callee-cluster.ts";
import { connectionManager } from "./connection-manager.ts";
import { socketAddress } from "./places.ts";

const GRPC_STATUS = { DEADLINE_EXCEEDED: "4", RESOURCE_EXHAUSTED: "8" };

export interface Outbound {
  readonly listener: object;
  readonly clusters: object[];
}

/** @param methods those that the caller may call; others are refused here already, for want of a route */
export function outbound(
  callee: string,
  methods: readonly MeshMethod[],
  port: number,
  options: MeshOptions,
): Outbound {
  const groups = groupMethods(methods, limitsOf).map((group, index) => ({
    ...group,
    cluster: index === 0 ? callee : `${callee}-${index + 1}`,
  }));
  const routes = groups.flatMap(({ methods: alike, cluster }) =>
    alike.map((method) => routeOf(method, cluster)),
  );
  const health = {
    name: "health",
    match: { prefix: "/grpc.health.v1.Health/" },
    route: { cluster: callee, timeout: "5s" },
  };
  return {
    listener: {
      name: `to-${callee}`,
      address: socketAddress("127.0.0.1", port),
      filter_chains: [{ filters: [connectionManager(`to-${callee}`, [...routes, health], grpcReplies, [])] }],
    },
    clusters: groups.map(({ key, cluster }) => calleeCluster(cluster, callee, key, options)),
  };
}

/** What Envoy would say with UNAVAILABLE, said as gRPC clients and the kit's processes say it. */
const grpcReplies = {
  local_reply_config: { mappers: [replyTo("UT", "DEADLINE_EXCEEDED"), replyTo("UO", "RESOURCE_EXHAUSTED")] },
};

/** @param flag Envoy's response flag: UT for a timeout, UO for a full cluster */
function replyTo(flag: "UT" | "UO", status: keyof typeof GRPC_STATUS): object {
  return {
    filter: { response_flag_filter: { flags: [flag] } },
    headers_to_add: [{ header: { key: "grpc-status", value: GRPC_STATUS[status] } }],
  };
}

function routeOf({ service, name, path, policy }: MeshMethod, cluster: string): object {
  return {
    name: `${service}.${name}`,
    match: { path },
    route: { cluster, timeout: protoDuration(policy.timeoutMs), ...retriesOf(policy.retry) },
  };
}

/** A route of Envoy's is not retried unless it says so. */
function retriesOf(retry: RetryRule | undefined): object {
  const conditions = retry ? envoyRetryOn(retry) : [];
  if (!retry || conditions.length === 0) return {};
  return {
    retry_policy: {
      retry_on: conditions.join(","),
      num_retries: retry.attempts - 1,
      ...(retry.perTryMs !== undefined && { per_try_timeout: protoDuration(retry.perTryMs) }),
      retry_back_off: {
        base_interval: protoDuration(Math.max(1, retry.baseBackoffMs)),
        max_interval: protoDuration(Math.max(1, retry.maxBackoffMs)),
      },
    },
  };
}
