/** What the table of expectations needs of whatever enforces a policy: sidecars, or the processes themselves. */

/** What a replica of the callee answers to a call: a gRPC status, or nothing at all. */
export type Answer = number | "silent";

/**
 * What the callee answers.
 * @param call number of the call, from 1, over all methods and replicas
 * @param replica which one is asked, from 0
 */
export type CalleeAnswer = (call: number, replica: number) => Answer;

/** Makes calls to the service `shelves`, whose replicas count what reaches them. */
export interface Enforcer {
  /**
   * Calls a method of shelves by the caller's own way out, where times, retries and bounds are kept.
   * @param seconds the deadline that the caller asks for; none by default
   * @returns gRPC status
   */
  call(caller: "edge" | "lending", method: string, seconds?: number): Promise<number>;
  /**
   * Calls around the caller's way out, straight at the door of the callee.
   * @param as workload whose proof goes along; undefined: none
   * @param path the method's path, for one of another service; shelves' own by name
   * @returns gRPC status
   * @throws Error when there is not even a connection
   */
  knock(as: string | undefined, method: string): Promise<number>;
  /** Sets what the replicas answer from now on, to any method. Counts start again. */
  answer(answer: CalleeAnswer): void;
  /** How many calls of a method reached each replica. */
  heard(method: string): number[];
  /** Forgets what was learned of the callee: breakers, budgets, connections. */
  renew(): Promise<void>;
  stop(): Promise<void>;
}
