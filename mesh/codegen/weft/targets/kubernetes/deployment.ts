import { EDGE } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { NAME_LABEL, podsOf, type Resource, resource } from "../../output/resource.ts";
import { adminPort, environment } from "./environment.ts";
import type { Workload } from "./workload.ts";

/** Processes end within about 10 s after SIGTERM; the rest is for balancers to look away first. */
const GRACE_SECONDS = 30;
const LOOK_AWAY_SECONDS = 5;

/** The pods of a workload. How many there are is for scaling.ts to say. */
export function deployment(workload: Workload, options: MeshOptions): Resource {
  const { name } = workload;
  return resource(
    options,
    "apps/v1 Deployment",
    { name, workload: name },
    {
      spec: {
        selector: podsOf(name),
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: {
          metadata: { labels: podsOf(name).matchLabels },
          spec: {
            serviceAccountName: name,
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: GRACE_SECONDS,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 65_532,
              runAsGroup: 65_532,
              fsGroup: 65_532,
              seccompProfile: { type: "RuntimeDefault" },
            },
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: "topology.kubernetes.io/zone",
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: { [NAME_LABEL]: name } },
              },
            ],
            containers: [container(workload, options)],
            volumes: [{ name: "tmp", emptyDir: { sizeLimit: "64Mi" } }],
          },
        },
      },
    },
  );
}

function container(workload: Workload, options: MeshOptions): object {
  const { name } = workload;
  const { port, images } = options;
  // Pages that every process has: the gateway speaks no gRPC of its own.
  const healthy = { httpGet: { path: "/healthz", port } };
  const ready = { httpGet: { path: "/readyz", port } };
  return {
    name,
    image: `${images}/${name}`,
    ports: [
      { name: "grpc", containerPort: port, protocol: "TCP" },
      ...(name === EDGE ? [{ name: "admin", containerPort: adminPort(options), protocol: "TCP" }] : []),
    ],
    env: environment(workload, options),
    // Settings of a workload's own, where a deployment gives it some.
    envFrom: [{ configMapRef: { name: `${name}-settings`, optional: true } }],
    resources: { requests: { cpu: "100m", memory: "192Mi" }, limits: { memory: "512Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    startupProbe: { ...healthy, periodSeconds: 1, failureThreshold: 60 },
    livenessProbe: { ...healthy, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    readinessProbe: { ...ready, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 },
    lifecycle: { preStop: { sleep: { seconds: LOOK_AWAY_SECONDS } } },
    volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
  };
}
