import type { Schema } from "../schema/json.ts";

/** A schema with rules worked in. */
export interface Constrained {
  readonly schema: Schema;
  /** Sentences for what no keyword of JSON Schema says. */
  readonly notes: readonly string[];
}
