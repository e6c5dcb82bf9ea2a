/** The events runtime: what a service and its process use of it. */

export { type Bus, BusAwayError, connectBus, type EventLog } from "./bus.ts";
export {
  type EventContext,
  type EventHandler,
  on,
  PermanentEventError,
  type RunningConsumers,
  startConsumers,
} from "./consumers.ts";
export { type ConsumerPolicy, type EventContract, eventContract, eventsOf } from "./event-contract.ts";
export { DeadLetterRow, eventEntities, InboxRow } from "./inbox.ts";
export { createEventTables } from "./migration.ts";
export { OutboxRow, recordEvent } from "./outbox.ts";
export { type OutboxRelay, startOutboxRelay } from "./relay.ts";
export { ensureStream } from "./streams.ts";
