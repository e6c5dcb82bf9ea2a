import type { EntityManager } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { currentContext, traceparentOf } from "#mesh/runtime/telemetry/context.ts";
import { type Email, EmailRow } from "./storage.ts";

/** A mail that an event asks for. */
export type Wanted = Pick<
  Email,
  "eventId" | "kind" | "orderId" | "orderVersion" | "customerId" | "order" | "occurredAt"
>;

/** Puts a mail among those that wait. A repeat changes nothing: one event, and one outcome of an order, is one mail. */
export async function queueMail(tx: EntityManager, mail: Wanted): Promise<void> {
  const context = currentContext();
  const ids = context && { requestId: context.requestId, traceparent: traceparentOf(context) };
  const row = { ...mail, ...ids, id: uuidv7() };
  await tx.upsertMany(EmailRow, [row], { onConflictFields: ["eventId"], onConflictAction: "ignore" });
}
