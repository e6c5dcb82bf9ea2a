import { v7 as uuidv7 } from "uuid";
import { expect, onTestFinished, test } from "vitest";
import { openDatabase } from "#mesh/runtime/storage/database.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { freshDatabase } from "../../test/system/fresh.ts";
import type { MailKind } from "./mail.ts";
import { queueMail } from "./queue-mail.ts";
import { rememberRecipient } from "./remember-recipient.ts";
import { sendWaiting } from "./send-mails.ts";
import { storage } from "./storage.ts";

const log = createLogger("email", "silent");
const from = { name: "", address: "shop@example.com" };
const sum = { currencyCode: "USD", units: "3", nanos: 0 };

/** A database of email with one recipient. */
async function startMails() {
  const orm = await openDatabase(await freshDatabase("email"), storage, log);
  onTestFinished(() => orm.close(true));
  const customerId = uuidv7();
  const orderId = uuidv7();
  await inTransaction(orm, (tx) =>
    rememberRecipient(tx, { userId: customerId, address: "ann@example.com", displayName: "Ann" }),
  );
  const queue = (kind: MailKind, orderVersion: bigint) =>
    inTransaction(orm, (tx) =>
      queueMail(tx, {
        eventId: uuidv7(),
        kind,
        orderId,
        orderVersion,
        customerId,
        order: { items: [], total: sum, reason: "" },
        occurredAt: new Date(),
      }),
    );
  const sent: string[] = [];
  const send = async ({ subject }: { subject: string }) => void sent.push(subject);
  return { parts: { orm, log, from, send }, queue, sent };
}

test("a cancellation whose first try died does not wait for a confirmation that came behind it", async () => {
  const { parts, queue, sent } = await startMails();
  await queue("ORDER_CANCELLATION", 6n);
  const times = [0, 25_000]; // claimed, and not sent
  expect(await sendWaiting({ ...parts, clock: () => times.shift()! })).toBe(1);
  await queue("ORDER_CONFIRMATION", 4n);
  await parts.orm.em.execute("update emails set next_try_at = now()"); // the claim has passed
  expect(await sendWaiting(parts)).toBe(1);
  expect(sent).toEqual([expect.stringContaining("cancelled")]);
  expect(await sendWaiting(parts)).toBe(0);
});

test("a process that stood still with a mail in hand leaves it to whoever claims it next", async () => {
  const { parts, queue, sent } = await startMails();
  await queue("ORDER_CONFIRMATION", 4n);
  const times = [0, 25_000];
  expect(await sendWaiting({ ...parts, clock: () => times.shift()! })).toBe(1);
  expect(sent).toEqual([]);
  expect(await sendWaiting(parts)).toBe(0); // still claimed
  await parts.orm.em.execute("update emails set next_try_at = now()"); // the claim has passed
  expect(await sendWaiting(parts)).toBe(1);
  expect(sent).toHaveLength(1);
});
