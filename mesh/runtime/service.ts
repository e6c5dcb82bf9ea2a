/** What a service is, apart from the process it runs in. */
import type { DescMessage, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import type { Meter } from "@opentelemetry/api";
import type { EventHandler } from "./events/consumers.ts";
import type { Revocation } from "./identity/revocations.ts";
import type { Clients } from "./rpc/clients.ts";
import type { Storage } from "./storage/database.ts";
import type { Logger } from "./telemetry/log.ts";
import type { Tracer } from "./telemetry/tracer.ts";

/** Description of a service; `service.ts` of each service exports one. */
export interface ServiceDefinition {
  /** Service of the contract; its policy option carries the name in the mesh. */
  readonly contract: DescService;
  /** Other versions of it, served beside it under the same name; see docs/contracts.md. */
  readonly otherVersions?: readonly DescService[];
  readonly storage: Storage;
  /** Events it records in its outbox. */
  readonly emits: readonly DescMessage[];
  /** Builds handlers, consumers and workers from what the process provides. */
  compose(parts: ServiceParts): ServiceComposition;
}

/** What a process provides to a service. */
export interface ServiceParts {
  readonly orm: MikroORM;
  readonly clients: Clients;
  readonly log: Logger;
  /** For instruments of the service's own; see telemetry/metrics.ts for names. */
  readonly meter: Meter;
  /** For work that goes on beside calls and events: it continues the trace of what caused it. */
  readonly tracer: Tracer;
  /**
   * Voids a user's access tokens in every process. Only the service that issues tokens has the right to.
   * @throws while the bus is away: try again until it is done
   */
  readonly announceRevocation: (revocation: Revocation) => Promise<void>;
  /** For settings of the service's own; parse strictly, refuse to start on gaps. */
  readonly env: NodeJS.ProcessEnv;
}

/** What a service adds to the process. */
export interface ServiceComposition {
  /** Registers the handlers. */
  routes(router: ConnectRouter): void;
  /** Events it consumes. */
  readonly consumers?: readonly EventHandler[];
  /** Work that goes on beside calls and events. */
  readonly workers?: readonly Worker[];
  /** Fills an empty database with development data: the parsed seed file. Safe to repeat. */
  seed?(data: unknown): Promise<void>;
}

/** A loop of a service. */
export interface Worker {
  start(): void;
  /** Ends when nothing is running any more. */
  stop(): Promise<void>;
}
