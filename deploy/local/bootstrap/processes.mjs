// Built-in modules and plain syntax only: this runs before anything is installed, on whatever Node there is.
import fs from "node:fs";

/** A reason to stop that the reader can do something about; shown without a stack trace. */
export class Refused extends Error {}

/** How a process ended; error is set if it could not be started. */
export function ended(child) {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: 1, signal: null, error }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}

/**
 * A terminal sends Ctrl-C to everyone in the foreground, the child included, so it is
 * passed on only where no terminal does that.
 */
export function forwardSignals(child) {
  const handlers = ["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => {
    const handler = () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    };
    process.on(signal, handler);
    return [signal, handler];
  });
  return {
    stop: () => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    },
  };
}

export function isAlive(pid) {
  if (!(pid > 1)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

export function readOr(file, otherwise) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (_error) {
    return otherwise;
  }
}
