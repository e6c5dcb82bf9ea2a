import { ANYBODY, type MeshMethod } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";

/** Identity of a workload as Istio writes it: without the scheme "spiffe://". */
export function principalOf(name: string, { trustDomain, namespace }: MeshOptions): string {
  return `${trustDomain}/ns/${namespace}/sa/${name}`;
}

/** Who may call and what users must show, without the names of methods. Methods with equal keys share a rule. */
export interface Admission {
  /** Undefined: anybody, with or without an identity. */
  readonly principals: readonly string[] | undefined;
  readonly user: boolean;
  /** Any of them; empty: every user. */
  readonly roles: readonly string[];
}

/** @param checksUsers whether the mesh knows who issues tokens */
export function admissionOf({ policy }: MeshMethod, options: MeshOptions): Admission {
  const { access, callers } = policy;
  const user = options.tokens !== undefined && ["signed_in", "roles", "owner"].includes(access.kind);
  return {
    principals: callers.includes(ANYBODY) ? undefined : callers.map((caller) => principalOf(caller, options)),
    user,
    // An owner needs no role; those in or_roles are told from owners by the process.
    roles: user && access.kind === "roles" ? access.roles : [],
  };
}
