import type { Injected } from "../harness/system-under-test.ts";

/** Ends a process with SIGKILL. The system starts it again. */
export function killProcess(target: string, pid: number): Injected {
  process.kill(pid, "SIGKILL");
  return { target, detail: `SIGKILL ${pid}`, heal: async () => {} };
}

/** Stops a process and all of its group: it answers nothing, and its connections stay open. */
export function pauseProcess(target: string, pid: number): Injected {
  process.kill(-pid, "SIGSTOP");
  const heal = async () => {
    try {
      process.kill(-pid, "SIGCONT");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // killed meanwhile
    }
  };
  return { target, detail: `SIGSTOP ${pid}`, heal };
}
