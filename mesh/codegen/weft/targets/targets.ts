/** Everything that a contract can be turned into. */
import type { Contract } from "../contract/model.ts";
import type { MeshOptions } from "../options.ts";
import type { GeneratedFile } from "../output/generated-file.ts";
import { emitCoverage } from "../report/coverage.ts";
import { emitDocs } from "./docs/emit.ts";
import { emitEnvoy } from "./envoy/emit.ts";
import { emitGrafana } from "./grafana/emit.ts";
import { emitGrpcServiceConfig } from "./grpc-service-config/emit.ts";
import { emitIstioAmbient } from "./istio-ambient/emit.ts";
import { emitIstioSidecar } from "./istio-sidecar/emit.ts";
import { emitKubernetes } from "./kubernetes/emit.ts";
import { emitLinkerd } from "./linkerd/emit.ts";
import { emitSlo } from "./slo/emit.ts";

export type Emitter = (contract: Contract, options: MeshOptions) => GeneratedFile[];

/** Name of the plugin parameter `target` → what writes it. */
export const targets = {
  "istio-sidecar": emitIstioSidecar,
  linkerd: emitLinkerd,
  "istio-ambient": emitIstioAmbient,
  kubernetes: emitKubernetes,
  envoy: emitEnvoy,
  slo: emitSlo,
  "grpc-service-config": emitGrpcServiceConfig,
  docs: emitDocs,
  grafana: emitGrafana,
  coverage: emitCoverage,
} as const satisfies Record<TargetName, Emitter>;

export type TargetName =
  | "istio-sidecar"
  | "linkerd"
  | "istio-ambient"
  | "kubernetes"
  | "envoy"
  | "slo"
  | "grpc-service-config"
  | "docs"
  | "grafana"
  | "coverage";
