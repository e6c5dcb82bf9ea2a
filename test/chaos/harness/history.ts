import { createWriteStream, type WriteStream } from "node:fs";

/**
 * What clients did and heard, in the manner of Jepsen: an invocation, then one of
 *
 *   ok    it has had its effect, and this is the answer
 *   fail  it has had no effect
 *   info  nobody knows: no answer, or one that says as much
 */
export interface Entry {
  /** Position in the history. */
  readonly index: number;
  /** Milliseconds since the run began. */
  readonly time: number;
  readonly process: string;
  readonly type: "invoke" | "ok" | "fail" | "info";
  readonly f: string;
  readonly value: unknown;
  /** Why there is no ok. */
  readonly error?: string;
  /** Index of the invocation that this completes. */
  readonly of?: number;
}

/** Completion of an operation. */
export type Completion = Pick<Entry, "type" | "value" | "error">;

/** A history that grows, in memory and as lines of JSON in a file. */
export class History {
  readonly entries: Entry[] = [];
  readonly #file: WriteStream | undefined;
  readonly #began: number;

  /** @param file - receives the lines; none if left out */
  constructor(began: number, file?: string) {
    this.#began = began;
    this.#file = file === undefined ? undefined : createWriteStream(file);
  }

  /** Records an invocation and, once `work` has ended, its completion. What `work` throws is an info. */
  async record(
    process: string,
    f: string,
    value: unknown,
    work: () => Promise<Completion>,
  ): Promise<Completion> {
    const { index } = this.#add({ process, f, type: "invoke", value });
    const completion = await work().catch(
      (error: Error): Completion => ({ type: "info", value, error: causesOf(error) }),
    );
    this.#add({ process, f, of: index, ...completion });
    return completion;
  }

  /** Closes the file. */
  async end(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#file) this.#file.end(() => resolve());
      else resolve();
    });
  }

  #add(entry: Omit<Entry, "index" | "time">): Entry {
    const full = { index: this.entries.length, time: Date.now() - this.#began, ...entry };
    this.entries.push(full);
    this.#file?.write(`${JSON.stringify(full)}\n`);
    return full;
  }
}

function causesOf(error: Error): string {
  const cause = error.cause instanceof Error ? `: ${causesOf(error.cause)}` : "";
  return `${error.name}: ${error.message}${cause}`;
}
