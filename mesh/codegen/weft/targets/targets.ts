/** Everything that a contract can be turned into. */
import type { Contract } from "../contract/model.ts";
import type { MeshOptions } from "../options.ts";
import type { GeneratedFile } from "../output/generated-file.ts";
import { emitIstioAmbient } from "./istio-ambient/emit.ts";
import { emitIstioSidecar } from "./istio-sidecar/emit.ts";
import { emitKubernetes } from "./kubernetes/emit.ts";
import { emitLinkerd } from "./linkerd/emit.ts";

export type Emitter = (contract: Contract, options: MeshOptions) => GeneratedFile[];

/** Name of the plugin parameter `target` → what writes it. */
export const targets = {
  "istio-sidecar": emitIstioSidecar,
  linkerd: emitLinkerd,
  "istio-ambient": emitIstioAmbient,
  kubernetes: emitKubernetes,
} as const satisfies Record<string, Emitter>;

export type TargetName = keyof typeof targets;
