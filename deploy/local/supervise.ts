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

export type Supervised = {
  readonly name: string;
  /** Of the running process; undefined while there is none. */
  readonly pid: number | undefined;
  /** Resolves when first ready. Rejects with the last reason if that does not happen in a few tries. */
  readonly ready: Promise<void>;
  /** Ends the process and keeps it ended. */
  stop(): Promise<void>;
};

export type SupervisionOptions = {
  /** Told of each unwanted end, with what happens next. */
  onCrash: (text: string) => void;
  /** Told when the part is ready, first and after each restart. */
  onReady?: (pid: number) => void;
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
  const { onCrash, onReady, firstDelay = 250, maxDelay = 10_000 } = options;
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {}); // who waits for it sees the reason; nobody has to wait
  let instance: Instance | undefined;
  let wasReady = false;
  let failures = 0;

  const pause = async (what: string) => {
    failures += 1;
    const delay = Math.min(maxDelay, firstDelay * 2 ** (failures - 1));
    onCrash(
      `${part.name} ${what}; starting it again in ${delay < 1000 ? `${delay} ms` : `${delay / 1000} s`}`,
    );
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delay);
      stopping.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  };
  const keepRunning = async () => {
    while (!stopping.signal.aborted) {
      try {
        instance = await part.start(stopping.signal);
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (!wasReady && failures + 1 >= firstTries) {
          ready.reject(error);
          return;
        }
        await pause(`did not start: ${(error as Error).message}`);
        continue;
      }
      if (stopping.signal.aborted) return instance.stop();
      const began = Date.now();
      wasReady = true;
      ready.resolve();
      onReady?.(instance.pid);
      const exit = await instance.exited;
      instance = undefined;
      if (stopping.signal.aborted) return;
      if (Date.now() - began > calm) failures = 0;
      await pause(`ended (${describeExit(exit)})`);
    }
  };
  const running = keepRunning();

  return {
    name: part.name,
    get pid() {
      return instance?.pid;
    },
    ready: ready.promise,
    async stop() {
      stopping.abort();
      ready.reject(new Error(`${part.name} was stopped`));
      await instance?.stop();
      await running;
    },
  };
}
