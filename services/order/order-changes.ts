/** Tells watchers in this process that an order changed; watchers elsewhere find out by looking. */
import { EventEmitter } from "node:events";

export interface OrderChanges {
  announce(orderId: string): void;
  /** Resolves at the next change of the order, after `maxWaitMs`, or when `signal` is aborted. */
  next(orderId: string, maxWaitMs: number, signal: AbortSignal): Promise<void>;
}

export function createOrderChanges(): OrderChanges {
  const emitter = new EventEmitter().setMaxListeners(0);
  return {
    announce: (orderId) => void emitter.emit(orderId),
    next: (orderId, maxWaitMs, signal) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          emitter.off(orderId, done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, maxWaitMs);
        emitter.once(orderId, done);
        signal.addEventListener("abort", done, { once: true });
        if (signal.aborted) done();
      }),
  };
}
