/** What a consumer relies on, written down by the consumer: one call, route or event and what it reads of it. */
import type { DescMethod } from "@bufbuild/protobuf";

export interface Example {
  /** Who relies on it: a workload of the mesh, or the name of a program outside that calls by REST. */
  readonly consumer: string;
  /** Service that is relied on, by its name in the mesh. */
  readonly provider: string;
  /** Path from the root of the repository, and line from 1. */
  readonly file: string;
  readonly line: number;
  /** What happens, in the consumer's words. */
  readonly name: string;
  readonly of:
    | { readonly kind: "rpc"; readonly rpc: DescMethod; readonly route?: string }
    | { readonly kind: "event"; readonly type: string };
  /** Roles of the user on whose behalf the consumer calls; undefined without a user. */
  readonly roles: readonly string[] | undefined;
  /** Names of what must be so at the provider before the call. */
  readonly given: readonly string[];
  /** ProtoJSON. May hold "${name}": a value that what is `given` provides. */
  readonly request: Json;
  /** The fields that the consumer reads, of the reply or of the event. "$any" stands for any value that is there. */
  readonly reads: Json;
  /** The refusal that the consumer handles, in place of a reply. */
  readonly error: { readonly code: string; readonly reason?: string } | undefined;
  /** What of the contract it touches. */
  readonly uses: Uses;
}

export type Json = { readonly [field: string]: unknown };

/** Names of what an example touches. */
export interface Uses {
  /** "pkg.Message.field" */
  readonly fields: ReadonlySet<string>;
  /** Messages that the request holds. */
  readonly sent: ReadonlySet<string>;
  /** Enums of fields that are sent or read, and "pkg.Enum.VALUE" of values that are named. */
  readonly enums: ReadonlySet<string>;
}

/** Something wrong with an example. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly problem: string;
}
