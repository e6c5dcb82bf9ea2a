/** What a change of the contract is, and whom it touches. */
import type { DescEnum, DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";

/** A change that somebody may notice. Additions that nobody can notice are none. */
export interface Change {
  /** Names the change among all, such as in the list of accepted ones: "shop.v1.Thing.size: removed". */
  readonly id: string;
  /** Path from the root of the module, and line from 1, in the contract as it is now. */
  readonly file: string;
  readonly line: number;
  /** What it means, in words. */
  readonly means: string;
  readonly touches: Touched;
}

/** What a change touches, in the contract before it. */
export type Touched =
  /** The RPC as a whole: whoever may call it. */
  | { readonly kind: "rpc"; readonly rpc: DescMethod; readonly only?: TouchedCallers }
  /** Whoever sends or reads the field. */
  | { readonly kind: "field"; readonly field: DescField }
  /** Whoever sends the message. */
  | { readonly kind: "sent message"; readonly message: DescMessage }
  /** Whoever sends a message without the field: it is asked for now. */
  | { readonly kind: "missing field"; readonly field: DescField }
  /** Whoever sends or reads a field of the enum, or handles the value: "pkg.Enum.VALUE". */
  | { readonly kind: "enum"; readonly enumeration: DescEnum; readonly value?: string }
  /** Readers of an event: all, or those named. */
  | { readonly kind: "event"; readonly type: string; readonly readers?: readonly string[] }
  /** What no consumer sees: more may see or do something than before. */
  | { readonly kind: "nobody" };

/** Of the callers of an RPC only some. */
export type TouchedCallers =
  /** These workloads. */
  | { readonly callers: readonly string[] }
  /** Those who call by REST. */
  | { readonly rest: true }
  /** Those who call with one of these roles. */
  | { readonly roles: readonly string[] }
  /** Those who call by this way: "GET /v1/things". */
  | { readonly route: string };
