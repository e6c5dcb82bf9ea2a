/**
 * Tells the relays of this process that a transaction with events has committed, so that they need not wait
 * for their next poll. Keyed by the database driver, which every EntityManager of one ORM shares.
 */
import type { EntityManager } from "@mikro-orm/core";

type Driver = ReturnType<EntityManager["getDriver"]>;

const listeners = new WeakMap<Driver, Set<() => void>>();

/** Calls `listener` after each commit with events on the database of `em`, until the returned function is called. */
export function onEventsCommitted(em: EntityManager, listener: () => void): () => void {
  const driver = em.getDriver();
  const set = listeners.get(driver) ?? new Set();
  listeners.set(driver, set.add(listener));
  return () => set.delete(listener);
}

/** Calls the listeners of the database of `em`. */
export function announceEventsCommitted(em: EntityManager): void {
  for (const listener of listeners.get(em.getDriver()) ?? []) listener();
}
