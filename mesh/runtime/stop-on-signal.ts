import type { Logger } from "./telemetry/log.ts";

/** Time a process has to finish what is under way, in milliseconds. */
const graceMs = 10_000;

/**
 * Ends the process in order on SIGTERM or SIGINT: exit code 0 when `stop` ended in time, else 1.
 * An error that nobody caught ends it as well: the state of the process is not known any more.
 */
export function stopOnSignal(stop: () => Promise<void>, log: Logger): void {
  let stopping = false;
  const end = (code: number) => {
    if (stopping) return;
    stopping = true;
    const force = setTimeout(() => {
      log.error("stopping took too long");
      process.exit(1);
    }, graceMs);
    stop().then(
      () => {
        clearTimeout(force);
        process.exit(code);
      },
      (error) => {
        log.error({ err: error }, "stopping failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", () => end(0));
  process.on("SIGINT", () => end(0));
  const fatal = (error: unknown) => {
    log.fatal({ err: error }, "uncaught error");
    end(1);
  };
  process.on("uncaughtException", fatal);
  process.on("unhandledRejection", fatal);
}
