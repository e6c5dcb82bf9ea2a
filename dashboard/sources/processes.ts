/** The runner's processes, followed through its control channel: told at once of each change. */
import type { Control } from "#local/control/client.ts";
import type { ProcessState } from "#local/control/process-state.ts";

export interface FollowedProcesses {
  /** As last told, in order of starting; empty while no runner is there. */
  readonly states: readonly ProcessState[];
  /** Why they are not known now; undefined if they are. */
  readonly problem: string | undefined;
  stop(): void;
}

const pauseMs = 1_000;

/** @param onChange told after each change */
export function followProcesses(control: Control, onChange: () => void): FollowedProcesses {
  const ending = new AbortController();
  let states: readonly ProcessState[] = [];
  let problem: string | undefined = "runner: not asked yet";
  const follow = async () => {
    while (!ending.signal.aborted) {
      try {
        for await (const processes of control.watch(ending.signal)) {
          states = processes;
          problem = undefined;
          onChange();
        }
        problem = "runner: the control channel was closed";
      } catch (error) {
        problem = `runner: ${(error as Error).message}`;
      }
      if (!ending.signal.aborted) await pause(ending.signal);
    }
  };
  void follow();
  return {
    get states() {
      return states;
    },
    get problem() {
      return problem;
    },
    stop: () => ending.abort(),
  };
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, pauseMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
