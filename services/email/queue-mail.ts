import type { EntityManager } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { type Email, EmailRow } from "./storage.ts";

/** A mail that an event asks for. */
export type Wanted = Pick<
  Email,
  "eventId" | "kind" | "orderId" | "orderVersion" | "customerId" | "order" | "occurredAt"
>;

/** Puts a mail among those that wait. A repeat changes nothing: one event, and one outcome of an order, is one mail. */
export async function queueMail(tx: EntityManager, mail: Wanted): Promise<void> {
  const row = { ...mail, id: uuidv7() };
  await tx.upsertMany(EmailRow, [row], { onConflictFields: ["eventId"], onConflictAction: "ignore" });
}
