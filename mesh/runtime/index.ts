/** What a service uses of the runtime. Everything else is where its concern is: rpc/, events/, storage/ and so on. */

export { type Config, issuesOf, readConfig } from "./config.ts";
export { type EventContext, type EventHandler, on, PermanentEventError } from "./events/consumers.ts";
export { eventEntities } from "./events/inbox.ts";
export { createEventTables } from "./events/migration.ts";
export { recordEvent } from "./events/outbox.ts";
export { failpoint } from "./failpoint.ts";
export { answerOnce } from "./idempotency/answer-once.ts";
export { createStoredReplies } from "./idempotency/stored-replies.ts";
export { type Principal, requirePrincipal } from "./identity/principal.ts";
export { pageTokens } from "./paging/page-token.ts";
export { pollingWorker } from "./polling-worker.ts";
export type { Clients } from "./rpc/clients.ts";
export { reasonOf, ServiceError } from "./rpc/errors.ts";
export { runService } from "./run-service.ts";
export type { ServiceComposition, ServiceDefinition, ServiceParts, Worker } from "./service.ts";
export { type RunningService, startService } from "./start-service.ts";
export type { Storage } from "./storage/database.ts";
export { runLater } from "./storage/later-statements.ts";
export { inTransaction } from "./storage/transaction.ts";
export { inSpan } from "./telemetry/in-span.ts";
export { createLogger, type Logger } from "./telemetry/log.ts";
