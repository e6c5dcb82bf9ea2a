/** Tells watchers in this process that an order changed; watchers elsewhere find out by looking. */
import { EventEmitter } from "node:events";
import type { Order } from "./storage.ts";

export interface OrderChanges {
  announce(order: Order): void;
  /** Follows the changes of an order until `end` is called. */
  follow(orderId: string): Following;
}

/** The changes of one order. */
export interface Following {
  /** The order after its latest change that was not told yet; undefined after `maxWaitMs` or when `signal` is aborted. */
  next(maxWaitMs: number, signal: AbortSignal): Promise<Order | undefined>;
  end(): void;
}

export function createOrderChanges(): OrderChanges {
  const emitter = new EventEmitter().setMaxListeners(0);
  return {
    announce: (order) => void emitter.emit(order.id, order),
    follow(orderId) {
      let latest: Order | undefined;
      let wake = () => {};
      const changed = (order: Order) => {
        latest = order;
        wake();
      };
      emitter.on(orderId, changed);
      return {
        async next(maxWaitMs, signal) {
          if (!latest && !signal.aborted) await wait(maxWaitMs, signal, (resolve) => (wake = resolve));
          const told = latest;
          latest = undefined;
          return told;
        },
        end: () => void emitter.off(orderId, changed),
      };
    },
  };
}

/** Resolves when `onWait`'s argument is called, after `maxWaitMs`, or when `signal` is aborted. */
function wait(maxWaitMs: number, signal: AbortSignal, onWait: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, maxWaitMs);
    signal.addEventListener("abort", done, { once: true });
    onWait(done);
  });
}
