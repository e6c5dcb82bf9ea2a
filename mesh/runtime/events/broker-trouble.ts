/** Tells a broker in trouble from a broker that refuses one event. */
import { JetStreamApiError, JetStreamError } from "@nats-io/jetstream";
import {
  ClosedConnectionError,
  ConnectionError,
  DrainingConnectionError,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
} from "@nats-io/nats-core";
import { BusAwayError } from "./bus.ts";

const troubles = [
  BusAwayError,
  ClosedConnectionError,
  ConnectionError,
  DrainingConnectionError,
  JetStreamError,
  NoRespondersError,
  RequestError,
  TimeoutError,
];

/**
 * Whether the broker is away, slow, has no such stream or cannot store anything, so that no event would fare
 * better. Everything else is about the one event, also what nobody has thought of: it must not stop others.
 */
export function isBrokerTrouble(error: unknown): boolean {
  if (!(error instanceof Error) || error.cause instanceof PermissionViolationError) return false;
  if (error instanceof JetStreamApiError) return error.status === 404 || error.status >= 500;
  return troubles.some((type) => error instanceof type) || isBrokerTrouble(error.cause);
}
