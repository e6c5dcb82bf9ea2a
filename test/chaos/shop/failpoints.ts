/** Failpoints that each process of the shop passes under load. failpoints.test.ts keeps the list complete. */

const around = (...names: string[]) => names.flatMap((name) => [`${name}.before`, `${name}.after`]);

export const failpoints: Readonly<Record<string, readonly string[]>> = {
  order: around(
    "transaction.commit",
    "outbox.publish",
    "outbox.commit",
    "checkout.reserve",
    "checkout.charge",
    "checkout.commit",
    "checkout.refund",
    "checkout.release",
  ),
  inventory: around("transaction.commit", "outbox.publish", "outbox.commit"),
  payment: around("transaction.commit", "charge.ask", "refund.ask"),
  email: around("inbox.commit", "consumer.ack", "mail.send"),
  product: around("inbox.commit", "consumer.ack"),
};

/** Passed only when the answer of a charge stays away for half a minute: too seldom to plan for. */
export const seldom: readonly string[] = around("checkout.query_charge");
