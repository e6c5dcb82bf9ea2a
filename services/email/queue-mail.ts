import type { EntityManager } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { runLater } from "#mesh/runtime/storage/later-statements.ts";
import { currentContext, traceparentOf } from "#mesh/runtime/telemetry/context.ts";
import type { Email } from "./storage.ts";

/** A mail that an event asks for. */
export type Wanted = Pick<
  Email,
  "eventId" | "kind" | "orderId" | "orderVersion" | "customerId" | "order" | "occurredAt"
>;

/** Puts a mail among those that wait. A repeat changes nothing: one event, and one outcome of an order, is one mail. */
export async function queueMail(tx: EntityManager, mail: Wanted): Promise<void> {
  const { eventId, kind, orderId, orderVersion, customerId, order, occurredAt } = mail;
  const context = currentContext();
  await runLater(
    tx,
    `insert into emails (id, event_id, kind, order_id, order_version, customer_id, "order", occurred_at,
       request_id, traceparent)
     values (?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?) on conflict (event_id) do nothing`,
    [
      uuidv7(),
      eventId,
      kind,
      orderId,
      String(orderVersion),
      customerId,
      JSON.stringify(order),
      occurredAt,
      context?.requestId ?? null,
      context ? traceparentOf(context) : null,
    ],
  );
}
