import { JetStreamApiError } from "@nats-io/jetstream";
import type { Bus, EventLog } from "../events/bus.ts";
import type { Instance } from "./instance.ts";
import { endEntry, ensureRegistry, writeEntry } from "./registry.ts";

/** Time between two heartbeats, in milliseconds. */
export const heartbeatMs = 3_000;
/**
 * Time that callers get to hear of an end before it happens, in milliseconds: a message through the bus takes one
 * or two, more on a busy machine.
 */
const noticeMs = 300;

/** This process's entry in the registry. */
export interface Registration {
  /**
   * Takes the entry out and waits until callers have heard of it; with the registry away, not at all, since
   * nobody would. Never throws.
   */
  end(): Promise<void>;
}

/**
 * Enters this process and keeps the entry alive. Tries for ever while the registry is away.
 * @param everyMs milliseconds between heartbeats
 */
export function register(bus: Bus, instance: Instance, log: EventLog, everyMs = heartbeatMs): Registration {
  let over = false;
  let reported = "";
  let entered = false;
  const beat = async () => {
    if (over || !bus.isConnected()) return;
    try {
      if (!entered) await ensureRegistry(bus);
      // The end may have been written meanwhile; an entry after it would bring a dead process back.
      if (over) return;
      await writeEntry(bus, instance);
      entered = true;
      if (reported) log.info({ instance: instance.instance }, "registered again");
      reported = "";
    } catch (error) {
      entered = false; // the server may have lost the bucket
      const problem = error instanceof JetStreamApiError ? error.message : String(error);
      if (problem !== reported) log.warn({ problem }, "not registered; trying again");
      reported = problem;
    }
  };
  let beating = beat();
  // Jittered, so that processes that started together do not stay together.
  const timer = setInterval(
    () => {
      beating = beating.then(beat);
    },
    everyMs * (0.9 + Math.random() / 5),
  ).unref();
  void bus.connected().then(
    () => {
      beating = beating.then(() => (entered ? undefined : beat()));
    },
    () => {},
  );

  return {
    async end() {
      if (over) return;
      over = true;
      clearInterval(timer);
      await beating;
      if (!entered || !bus.isConnected()) return;
      try {
        await endEntry(bus, instance);
        await new Promise((resolve) => setTimeout(resolve, noticeMs));
      } catch (error) {
        log.warn({ problem: String(error) }, "callers could not be told of the end");
      }
    },
  };
}
