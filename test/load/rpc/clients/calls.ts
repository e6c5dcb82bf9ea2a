/** A client process: makes calls when its parent says so. */
import { CALLERS } from "../get-book.ts";

export interface CallOrder {
  readonly calls: number;
}

/**
 * Serves orders with CALLERS closed loops of `call`, which must check its reply.
 * @param prepare called before each order; the identity in the headers lives for a minute
 */
export function makeCalls(call: () => Promise<void>, prepare?: () => Promise<void>): void {
  process.on("message", async ({ calls }: CallOrder) => {
    await prepare?.();
    let left = calls;
    const caller = async () => {
      while (left-- > 0) await call();
    };
    try {
      await Promise.all(Array.from({ length: CALLERS }, caller));
      process.send?.("done");
    } catch (error) {
      process.send?.(String((error as Error).stack ?? error));
    }
  });
}
