import { v7 as uuidv7 } from "uuid";
import { expect, onTestFinished, test } from "vitest";
import { openDatabase } from "#mesh/runtime/storage/database.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { freshDatabase } from "../../test/system/fresh.ts";
import { queueMail } from "./queue-mail.ts";
import { rememberRecipient } from "./remember-recipient.ts";
import { sendWaiting } from "./send-mails.ts";
import { storage } from "./storage.ts";

test("a process that stood still with a mail in hand leaves it to whoever claims it next", async () => {
  const log = createLogger("email", "silent");
  const orm = await openDatabase(await freshDatabase("email"), storage, log);
  onTestFinished(() => orm.close(true));
  const customerId = uuidv7();
  const sum = { currencyCode: "USD", units: "3", nanos: 0 };
  await inTransaction(orm, async (tx) => {
    await rememberRecipient(tx, { userId: customerId, address: "ann@example.com", displayName: "Ann" });
    await queueMail(tx, {
      eventId: uuidv7(),
      kind: "ORDER_CONFIRMATION",
      orderId: uuidv7(),
      orderVersion: 4n,
      customerId,
      order: { items: [], total: sum, reason: "" },
      occurredAt: new Date(),
    });
  });
  const sent: string[] = [];
  const parts = {
    orm,
    log,
    from: { name: "", address: "shop@example.com" },
    send: async ({ messageId }: { messageId: string }) => void sent.push(messageId),
  };
  const times = [0, 25_000];
  expect(await sendWaiting({ ...parts, clock: () => times.shift()! })).toBe(1);
  expect(sent).toEqual([]);
  expect(await sendWaiting(parts)).toBe(0); // still claimed
  await orm.em.execute("update emails set next_try_at = now()"); // the claim has passed
  expect(await sendWaiting(parts)).toBe(1);
  expect(sent).toHaveLength(1);
});
