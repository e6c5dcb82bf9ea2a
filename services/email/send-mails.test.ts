/** Mails that wait: for their recipient, for an earlier mail, for a mail server in a bad mood. */
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import { Email_Kind } from "#gen/shop/email/v1/email_pb.ts";
import { newOrder, type Post, soon, startPost } from "./testdata/post.ts";

let post: Post;
beforeAll(async () => {
  post = await startPost();
});
afterAll(() => post?.stop());

test("a mail whose recipient is not known yet leaves when the registration arrives", async () => {
  const userId = uuidv7();
  const event = newOrder(userId);
  await post.confirm(event);
  await vi.waitFor(async () => expect((await post.rowsOf(event.orderId)).length).toBe(1), soon);
  await post.anotherSent((await post.registered()).customerId);
  expect(await post.rowsOf(event.orderId)).toMatchObject([{ attempts: 0 }]);
  expect(post.mailsOf(event.orderId)).toEqual([]);
  await post.auth.record(UserRegisteredSchema, { userId, email: "late@example.com" });
  expect(await post.sent(event.orderId)).toMatchObject([{ recipient: "late@example.com" }]);
  expect(post.mailsOf(event.orderId).length).toBe(1);
});

test("a mail that the server refuses, or takes without an answer, is sent again under the same Message-ID", async () => {
  const { customerId } = await post.registered();
  const event = newOrder(customerId);
  post.mailbox.moods.push("refuse", "take, then hang up");
  await post.confirm(event);
  const [listed] = await post.sent(event.orderId);
  expect(post.mailsOf(event.orderId).map(({ messageId }) => messageId)).toEqual(
    Array(2).fill(`<${listed?.eventId}@example.com>`),
  );
  expect(await post.rowsOf(event.orderId)).toMatchObject([{ attempts: 3 }]);
});

test("a crash between the mail server and the commit repeats the mail under the same Message-ID", async () => {
  const { customerId } = await post.registered();
  const event = newOrder(customerId);
  await post.confirm(event);
  await post.sent(event.orderId);
  await post.database.query(
    "update emails set sent_at = null, recipient = null, subject = null, next_try_at = now() where order_id = $1",
    [event.orderId],
  );
  await post.sent(event.orderId);
  const [first, second, ...more] = post.mailsOf(event.orderId);
  expect(more).toEqual([]);
  expect(second?.messageId).toBe(first?.messageId);
  expect(second?.text).toBe(first?.text);
});

test("the cancellation waits for a confirmation that is being retried", async () => {
  const { customerId } = await post.registered();
  const event = newOrder(customerId);
  post.mailbox.moods.push("refuse");
  await post.confirm(event);
  await post.cancel(event);
  const emails = await post.sent(event.orderId, 2);
  const kinds = [Email_Kind.ORDER_CANCELLATION, Email_Kind.ORDER_CONFIRMATION];
  expect(emails.map(({ kind }) => kind)).toEqual(kinds);
  expect(post.mailsOf(event.orderId).map(({ subject }) => subject?.split(" ").at(-1))).toEqual([
    "confirmed",
    "cancelled",
  ]);
});

test("a confirmation that was overtaken by the cancellation is not sent", async () => {
  const { customerId } = await post.registered();
  const event = newOrder(customerId);
  await post.cancel(event);
  await post.sent(event.orderId);
  await post.confirm(event);
  await vi.waitFor(async () => expect((await post.rowsOf(event.orderId)).length).toBe(2), soon);
  await post.anotherSent(customerId);
  expect(await post.rowsOf(event.orderId)).toMatchObject([
    { kind: "ORDER_CONFIRMATION", attempts: 0, sent_at: null },
    { kind: "ORDER_CANCELLATION", attempts: 1 },
  ]);
});

test("a mail server that says nothing holds up neither events nor calls nor a transaction", async () => {
  const { customerId } = await post.registered();
  const event = newOrder(customerId);
  const before = post.mailbox.silent();
  post.mailbox.moods.push("stay silent");
  await post.confirm(event);
  await vi.waitFor(() => expect(post.mailbox.silent()).toBe(before + 1), soon);
  const { rows } = await post.database.query("select clock_timestamp()::text as since");
  const tries = async () =>
    (
      await post.database.query("select attempts, next_try_at from emails where order_id = $1", [
        event.orderId,
      ])
    ).rows;
  const under = await tries();
  const open = async () => {
    const sql = "select 1 from pg_stat_activity where datname = current_database() and xact_start < $1";
    return (await post.database.query(sql, [rows[0].since])).rowCount;
  };
  await expect.poll(open).toBe(0);
  expect(await tries(), "still the conversation that was silent").toEqual(under);
  expect(await post.asAdmin().listEmails({ pageSize: 1 })).toBeDefined();
  const other = await post.registered();
  await vi.waitFor(async () => {
    const sql = "select 1 from recipients where user_id = $1";
    expect((await post.database.query(sql, [other.customerId])).rowCount).toBe(1);
  }, soon);
  await post.sent(event.orderId); // after the timeout, by the second try
  expect(post.mailsOf(event.orderId).length).toBe(1);
});
