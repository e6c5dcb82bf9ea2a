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

/** Passed only when the answer of a charge stays away for half a minute: planned for when they are asked for. */
export const seldom: Readonly<Record<string, readonly string[]>> = { order: around("checkout.query_charge") };

/**
 * Those of the failpoints, seldom ones as well, by process.
 * @param names without ".before" and ".after", such as "checkout.charge"
 * @throws Error for a name that no process passes
 */
export function failpointsAt(names: readonly string[]): Record<string, readonly string[]> {
  const all = [...Object.entries(failpoints), ...Object.entries(seldom)];
  const places = new Set(all.flatMap(([, points]) => points.map(placeOf)));
  const unknown = names.filter((name) => !places.has(name));
  if (unknown.length > 0)
    throw new Error(`no such failpoint: ${unknown.join(", ")}; there are ${[...places].sort().join(", ")}`);
  const wanted: Record<string, readonly string[]> = {};
  for (const [process, points] of all) {
    const here = points.filter((point) => names.includes(placeOf(point)));
    if (here.length > 0) wanted[process] = [...(wanted[process] ?? []), ...here];
  }
  return wanted;
}

function placeOf(failpoint: string): string {
  return failpoint.replace(/\.(before|after)$/, "");
}
