import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A client in a process of its own. */
export class Caller {
  readonly #child: ChildProcess;

  /** @param program one of clients/ */
  constructor(program: string, port: number, env: Record<string, string>) {
    this.#child = fork(join(import.meta.dirname, "clients", program), {
      env: { ...process.env, ...env, BENCH_TARGET: String(port) },
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** @throws Error when a call failed */
  async make(calls: number): Promise<void> {
    this.#child.send({ calls });
    const [outcome] = await once(this.#child, "message");
    if (outcome !== "done") throw new Error(`a call failed: ${outcome}`);
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}
