/** Tables of email. */
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import type { OrderSummary } from "./mail.ts";
import { Migration20261122000000Initial } from "./migrations/20261122000000-initial.ts";
import { Migration20261127000000TraceIds } from "./migrations/20261127000000-trace-ids.ts";

/** Somebody to write to. */
export const RecipientRow = defineEntity({
  name: "Recipient",
  tableName: "recipients",
  properties: {
    userId: p.uuid().primary(),
    address: p.text(),
    /** May be empty. */
    displayName: p.text(),
  },
});

/** What is known of an order before there is anything to write about it. */
export const PlacedOrderRow = defineEntity({
  name: "PlacedOrder",
  tableName: "placed_orders",
  properties: {
    orderId: p.uuid().primary(),
    placedAt: p.datetime(),
  },
});

/** A mail: waiting until `sentAt` is set. */
export const EmailRow = defineEntity({
  name: "Email",
  tableName: "emails",
  properties: {
    id: p.uuid().primary(),
    /** The event that caused it. One event, one mail. */
    eventId: p.text(),
    kind: p.enum(["ORDER_CONFIRMATION", "ORDER_CANCELLATION"] as const),
    orderId: p.uuid(),
    /** Version of the order that the mail tells of. */
    orderVersion: p.bigint("bigint"),
    customerId: p.uuid(),
    order: p.json<OrderSummary>(),
    occurredAt: p.datetime(),
    /** Ids of the request that led to it; the sending carries them on. */
    requestId: p.text().nullable(),
    traceparent: p.text().nullable(),
    /** Tries so far. */
    attempts: p.integer().default(0),
    /** When it may be tried, by the database's clock; in the future also while it is being sent. */
    nextTryAt: p.datetime().defaultRaw("now()"),
    recipient: p.text().nullable(),
    subject: p.text().nullable(),
    /** When the mail server took it. */
    sentAt: p.datetime().nullable(),
  },
});

export type Email = InferEntity<typeof EmailRow>;

export const storage: Storage = {
  entities: [RecipientRow, PlacedOrderRow, EmailRow, ...eventEntities],
  migrations: [Migration20261122000000Initial, Migration20261127000000TraceIds],
};
