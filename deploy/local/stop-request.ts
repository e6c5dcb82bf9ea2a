import { isAlive } from "./process-identity.ts";

/** npm passes one Ctrl-C on while the terminal sends it too: within this time, in milliseconds, they are one. */
const sameKeyPress = 500;

export type StopRequest = {
  /** Resolves with the reason when somebody wants the system to end. */
  asked: Promise<string>;
};

/**
 * Listens for the wish to stop: Ctrl-C, SIGTERM, a closed terminal, or the death of
 * the commands that started this process.
 *
 * @param force called when the wish is repeated
 */
export function listenForStop(force: () => void): StopRequest {
  const { promise: asked, resolve } = Promise.withResolvers<string>();
  let first: number | undefined;
  const hear = (reason: string) => {
    first ??= Date.now();
    if (Date.now() - first > sameKeyPress) force();
    resolve(reason);
  };
  process.on("SIGINT", () => hear("Ctrl-C"));
  process.on("SIGTERM", () => hear("SIGTERM"));
  process.on("SIGHUP", () => hear("the terminal was closed"));

  const launchers = (process.env.WEFT_LAUNCHERS ?? "")
    .split(",")
    .map(Number)
    .filter((pid) => pid > 1);
  const watch = setInterval(() => {
    if (launchers.every(isAlive)) return;
    clearInterval(watch);
    resolve("the command that started it was killed");
  }, 1_000);
  watch.unref();
  return { asked };
}
