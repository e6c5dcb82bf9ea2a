/** What the table of expectations needs of whatever enforces a policy: sidecars, or the processes themselves. */

/** What a replica of the callee answers to a call: a gRPC status, or nothing at all. */
export type Answer = number | "silent";

/**
 * What the callee answers.
 * @param call number of the call, from 1, over all methods and replicas
 * @param replica which one is asked, from 0
 */
export type CalleeAnswer = (call: number, replica: number) => Answer;

/** What a user may show; tokens.ts has one of each. */
export type Token =
  | "a reader's"
  | "a keeper's"
  | "an expired"
  | "another issuer's"
  | "another audience's"
  | "a forged"
  | "another type's";

/** Makes calls to the service `shelves`, whose replicas count what reaches them. */
export interface Enforcer {
  /**
   * Calls a method of shelves by the caller's own way out, where times, retries and bounds are kept.
   * @param shown the deadline that the caller asks for, in seconds, and a user's token; neither by default
   * @returns gRPC status
   */
  call(
    caller: "edge" | "lending",
    method: string,
    shown?: { seconds?: number; token?: Token },
  ): Promise<number>;
  /**
   * Calls around the caller's way out, straight at the door of the callee.
   * @param as workload whose proof goes along; undefined: none
   * @returns gRPC status
   * @throws Error when there is not even a connection
   */
  knock(as: string | undefined, method: string, token?: Token): Promise<number>;
  /** Sets what the replicas answer from now on, to any method. Counts start again. */
  answer(answer: CalleeAnswer): void;
  /** How many calls of a method reached each replica. */
  heard(method: string): number[];
  /** Forgets what was learned of the callee: breakers, budgets, connections. */
  renew(): Promise<void>;
  stop(): Promise<void>;
}
