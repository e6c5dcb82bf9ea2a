import type { MeshOptions } from "../../options.ts";
import { protoDuration } from "../../output/duration.ts";
import { hostOf } from "../../output/resource.ts";
import { RETRY_BUDGET } from "../retry-budget.ts";
import type { TrafficLimits } from "../traffic-limits.ts";
import { plainHttp2 } from "./inbound.ts";
import { INBOUND_PORT, socketAddress } from "./places.ts";
import { upstreamTls } from "./tls.ts";

/**
 * The replicas of a callee, with bounds and breaker. The breaker is the contract's, replica by replica: ejected at
 * the share of failures, from the volume on, within the window. Where all are ejected calls fail at once.
 */
export function calleeCluster(
  name: string,
  callee: string,
  limits: TrafficLimits,
  options: MeshOptions,
): object {
  return {
    name,
    type: "STRICT_DNS",
    connect_timeout: "1s",
    lb_policy: "LEAST_REQUEST",
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    typed_extension_protocol_options: plainHttp2,
    transport_socket: upstreamTls(callee, options),
    circuit_breakers: {
      thresholds: [
        {
          max_requests: limits.inFlight,
          max_pending_requests: limits.waiting,
          retry_budget: {
            budget_percent: { value: RETRY_BUDGET.percent },
            min_retry_concurrency: RETRY_BUDGET.minimum,
          },
        },
      ],
    },
    outlier_detection: {
      interval: protoDuration(limits.windowMs),
      base_ejection_time: protoDuration(limits.openMs),
      max_ejection_time: protoDuration(limits.maxOpenMs),
      max_ejection_percent: 100,
      failure_percentage_threshold: limits.failurePercent,
      failure_percentage_request_volume: limits.volume,
      failure_percentage_minimum_hosts: 1,
      enforcing_failure_percentage: 100,
      // Not in the contract: failures in a row, and hosts that are worse than others.
      enforcing_consecutive_5xx: 0,
      enforcing_consecutive_gateway_failure: 0,
      enforcing_success_rate: 0,
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: socketAddress(hostOf(callee, options), INBOUND_PORT) } }] },
      ],
    },
  };
}
