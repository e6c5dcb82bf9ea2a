import { describeExit, type Exit } from "./child.ts";

/** A started and ready process. */
export type Instance = {
  pid: number;
  exited: Promise<Exit>;
  stop(): Promise<void>;
};

export type Part = {
  name: string;
  /**
   * Starts the process and waits until it is ready.
   *
   * @param signal aborted when the part is to be stopped: start must end what it began and reject
   * @throws Error with the reason, when the process has ended
   */
  start(signal: AbortSignal): Promise<Instance>;
};

/** "restarting" is the wait between an unwanted end and the next start; "failed" was given up. */
export type PartState = "starting" | "ready" | "restarting" | "stopping" | "stopped" | "failed";

export type Supervised = {
  readonly name: string;
  /** Of the running process; undefined while there is none. */
  readonly pid: number | undefined;
  readonly state: PartState;
  /** When the running process became ready, in milliseconds since 1970. */
  readonly readySince: number | undefined;
  /** Unwanted ends until now. */
  readonly crashes: number;
  /** Why the last process ended, or did not start; undefined before the first end. */
  readonly lastEnd: string | undefined;
  /** Resolves when first ready. Rejects with the last reason if that does not happen in a few tries. */
  readonly ready: Promise<void>;
  /** Ends the process and keeps it ended. */
  stop(): Promise<void>;
  /**
   * Runs it again after `stop`, or after it was given up, and waits until it is ready.
   * @throws Error when it runs already, or does not get ready
   */
  start(): Promise<void>;
};

export type SupervisionOptions = {
  /** Told of each unwanted end, with what happens next. */
  onCrash: (text: string) => void;
  /** Told when the state has changed. */
  onChange?: () => void;
  /** Milliseconds before the first restart; doubles with each failure up to maxDelay. */
  firstDelay?: number;
  maxDelay?: number;
};

/** A process that never became ready is not started for ever: something is wrong that a restart does not cure. */
const firstTries = 3;
/** After running this long, in milliseconds, an end is a new trouble and not the old one. */
const calm = 30_000;

/** Keeps a part running: starts it again when it ends, each time a little later. */
export function supervise(part: Part, options: SupervisionOptions): Supervised {
  const { onCrash, onChange = () => {}, firstDelay = 250, maxDelay = 10_000 } = options;
  let state: PartState = "starting";
  let instance: Instance | undefined;
  let readySince: number | undefined;
  let crashes = 0;
  let lastEnd: string | undefined;
  const become = (next: PartState) => {
    state = next;
    readySince = next === "ready" ? Date.now() : undefined;
    onChange();
  };

  const pause = async (what: string, failures: number, stopping: AbortSignal) => {
    crashes += 1;
    lastEnd = what;
    const delay = Math.min(maxDelay, firstDelay * 2 ** (failures - 1));
    become("restarting");
    onCrash(
      `${part.name} ${what}; starting it again in ${delay < 1000 ? `${delay} ms` : `${delay / 1000} s`}`,
    );
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delay);
      stopping.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
    if (!stopping.aborted) become("starting");
  };
  const keepRunning = async (stopping: AbortSignal, ready: PromiseWithResolvers<void>) => {
    let wasReady = false;
    let failures = 0;
    while (!stopping.aborted) {
      try {
        instance = await part.start(stopping);
      } catch (error) {
        if (stopping.aborted) return;
        if (!wasReady && failures + 1 >= firstTries) {
          lastEnd = `did not start: ${(error as Error).message}`;
          become("failed");
          ready.reject(error);
          return;
        }
        await pause(`did not start: ${(error as Error).message}`, ++failures, stopping);
        continue;
      }
      if (stopping.aborted) {
        await instance.stop();
        instance = undefined;
        return;
      }
      wasReady = true;
      become("ready");
      const began = Date.now();
      ready.resolve();
      const exit = await instance.exited;
      instance = undefined;
      if (stopping.aborted) return;
      if (Date.now() - began > calm) failures = 0;
      await pause(`ended (${describeExit(exit)})`, ++failures, stopping);
    }
  };
  const begin = () => {
    const stopping = new AbortController();
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => {}); // who waits for it sees the reason; nobody has to wait
    return { stopping, ready, running: keepRunning(stopping.signal, ready) };
  };
  let run = begin();

  return {
    name: part.name,
    get pid() {
      return instance?.pid;
    },
    get state() {
      return state;
    },
    get readySince() {
      return readySince;
    },
    get crashes() {
      return crashes;
    },
    get lastEnd() {
      return lastEnd;
    },
    get ready() {
      return run.ready.promise;
    },
    async stop() {
      const { stopping, ready, running } = run;
      if (state !== "failed" && state !== "stopped") become("stopping");
      stopping.abort();
      ready.reject(new Error(`${part.name} was stopped`));
      await instance?.stop();
      await running;
      if (state === "stopping") become("stopped");
    },
    start() {
      if (state !== "stopped" && state !== "failed") throw new Error(`${part.name} is ${state} already`);
      become("starting");
      run = begin();
      return run.ready.promise;
    },
  };
}
