/** What becomes of an option in a target. */
export type Cell =
  /** The target enforces, or says, exactly this. */
  | { readonly how: "expressed"; readonly by: string }
  /** The target comes near; `by` says how and what differs. */
  | { readonly how: "approximate"; readonly by: string }
  /** The process does it, the same with and without the target. */
  | { readonly how: "in process" }
  /** Contradicts itself: the build stops. */
  | { readonly how: "error"; readonly by: string };

export const yes = (by: string): Cell => ({ how: "expressed", by });
export const nearly = (by: string): Cell => ({ how: "approximate", by });
export const process: Cell = { how: "in process" };
