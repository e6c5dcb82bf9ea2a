/** How many pods there are: by CPU, and by waiting events where there are some. */
import type { Subscription } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { hostOf, type Resource, resource } from "../../output/resource.ts";
import type { Workload } from "./workload.ts";

/** Account of all services in the NATS server. */
export const NATS_ACCOUNT = "WEFT";

const [LEAST, MOST, CPU_PERCENT] = [2, 10, 70];
/** Events that may wait for each pod, as a share of what it may have in flight. */
const LAG_PER_POD = 4;

/** A HorizontalPodAutoscaler, or a ScaledObject, which keeps one of its own: never both. */
export function scaling({ name, consumes }: Workload, options: MeshOptions): Resource {
  return consumes.length > 0 ? scaledByEvents(name, consumes, options) : scaledByCpu(name, options);
}

function scaledByCpu(name: string, options: MeshOptions): Resource {
  const target = { type: "Utilization", averageUtilization: CPU_PERCENT };
  return resource(
    options,
    "autoscaling/v2 HorizontalPodAutoscaler",
    { name, workload: name },
    {
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
        minReplicas: LEAST,
        maxReplicas: MOST,
        metrics: [{ type: "Resource", resource: { name: "cpu", target } }],
      },
    },
  );
}

function scaledByEvents(name: string, consumes: readonly Subscription[], options: MeshOptions): Resource {
  const triggers = consumes.map(({ event, consumer }) => ({
    type: "nats-jetstream",
    metadata: {
      natsServerMonitoringEndpoint: `${hostOf("nats", options)}:8222`,
      account: NATS_ACCOUNT,
      stream: event.stream,
      consumer: consumer.durable,
      lagThreshold: String(Math.max(10, consumer.maxAckPending * LAG_PER_POD)),
      activationLagThreshold: "0",
    },
  }));
  const cpu = { type: "cpu", metricType: "Utilization", metadata: { value: String(CPU_PERCENT) } };
  return resource(
    options,
    "keda.sh/v1alpha1 ScaledObject",
    { name, workload: name },
    {
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
        minReplicaCount: LEAST,
        maxReplicaCount: MOST,
        triggers: [...triggers, cpu],
      },
    },
  );
}
