/** Mails through the contract: events come in over a real bus, mails go out to a real mail server. */
import { Code } from "@connectrpc/connect";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import { Email_Kind, EmailService } from "#gen/shop/email/v1/email_pb.ts";
import { OrderPlacedSchema } from "#gen/shop/order/v1/events_pb.ts";
import { refusal } from "../../test/system/refusal.ts";
import { newOrder, type Post, soon, startPost } from "./testdata/post.ts";

let post: Post;
beforeAll(async () => {
  post = await startPost();
});
afterAll(() => post?.stop());

test("a confirmed order gets one mail, which says what was bought", async () => {
  const { customerId, address } = await post.registered();
  const event = newOrder(customerId);
  await post.order.record(OrderPlacedSchema, {
    ...event,
    version: 1n,
    placedAt: { seconds: BigInt(Date.parse("2026-11-20T08:00:00Z") / 1000), nanos: 0 },
  });
  await vi.waitFor(async () => {
    const { rowCount } = await post.database.query("select 1 from placed_orders where order_id = $1", [
      event.orderId,
    ]);
    expect(rowCount).toBe(1);
  }, soon);
  await post.confirm(event);
  const [listed] = await post.sent(event.orderId);
  const [mail, ...more] = post.mailsOf(event.orderId);
  expect(more).toEqual([]);
  expect(mail).toMatchObject({
    subject: `Your order ${event.orderId} is confirmed`,
    from: { value: [{ name: "Weft Shop", address: "shop@example.com" }] },
    to: { value: [{ address }] },
    messageId: `<${listed?.eventId}@example.com>`,
  });
  expect(mail?.text).toContain("of 2026-11-20 is confirmed");
  expect(mail?.text).toContain("2 × House Espresso, 12.90 USD each: 25.80 USD");
  expect(mail?.html).toContain("25.80 USD");
  expect(listed).toMatchObject({
    kind: Email_Kind.ORDER_CONFIRMATION,
    recipient: address,
    subject: mail?.subject,
    orderId: event.orderId,
  });
});

test("a cancelled order gets one mail, which says why", async () => {
  const { customerId } = await post.registered();
  const event = newOrder(customerId);
  await post.cancel(event);
  await post.sent(event.orderId);
  expect(post.mailsOf(event.orderId).map(({ subject }) => subject)).toEqual([
    `Your order ${event.orderId} is cancelled`,
  ]);
  expect(post.mailsOf(event.orderId)[0]?.text).toContain("cancelled: as you asked.");
});

test("an event that is delivered again sends nothing again", async () => {
  const { customerId } = await post.registered();
  const event = newOrder(customerId);
  await post.confirm(event);
  await post.sent(event.orderId);

  const { host, username, password } = new URL(post.served.natsUrl);
  const nats = await connect({ servers: host, user: username, pass: decodeURIComponent(password) });
  try {
    const manager = await jetstreamManager(nats);
    const subject = "shop.order.v1.order_confirmed";
    const stored = await manager.streams.getMessage("SHOP_ORDER_V1", { last_by_subj: subject });
    // Without this header the stream takes the repeat for a new message.
    stored?.header.delete("Nats-Msg-Id");
    for (let count = 0; count < 3; count++)
      await jetstream(nats).publish(subject, stored?.data, { headers: stored?.header });
    await vi.waitFor(async () => {
      const info = await manager.consumers.info("SHOP_ORDER_V1", "email__order_confirmed");
      expect([info.num_pending, info.num_ack_pending]).toEqual([0, 0]);
    }, soon);
  } finally {
    await nats.close();
  }
  await post.anotherSent(customerId);
  expect(post.mailsOf(event.orderId).length).toBe(1);
  expect((await post.rowsOf(event.orderId)).length).toBe(1);
});

test("names cannot add headers, recipients or markup to a mail", async () => {
  const { customerId, address } = await post.registered("Eve\r\nBcc: victim@example.com\r\n\r\n<b>hi</b>");
  const event = newOrder(customerId, "<script>alert(1)</script>\r\nSubject: free");
  await post.confirm(event);
  await post.sent(event.orderId);
  const [mail] = post.mailsOf(event.orderId);
  expect(mail?.headers.has("bcc")).toBe(false);
  expect(mail?.to).toMatchObject({ value: [{ address }] });
  expect(mail?.subject).toBe(`Your order ${event.orderId} is confirmed`);
  expect(mail?.html).not.toContain("<script>");
  expect(mail?.html).not.toContain("<b>");
});

test("an address that nothing can be sent to goes to the dead letters", async () => {
  const userId = uuidv7();
  await post.auth.record(UserRegisteredSchema, { userId, email: "a@b.c\r\nBcc: d@e.f" });
  await vi.waitFor(async () => {
    const { rows } = await post.database.query("select state, cause from dead_letters where key = $1", [
      userId,
    ]);
    expect(rows).toMatchObject([
      { state: "open", cause: expect.stringContaining("email is not an address") },
    ]);
  }, soon);
  expect((await post.database.query("select 1 from recipients where user_id = $1", [userId])).rowCount).toBe(
    0,
  );
});

test("admins page through all mails, newest first, each exactly once", async () => {
  const { customerId } = await post.registered();
  const orders = Array.from({ length: 7 }, () => newOrder(customerId));
  await Promise.all(orders.map((event) => post.confirm(event)));
  for (const { orderId } of orders) await post.sent(orderId);
  // Equal times must not confuse the pages.
  await post.database.query(
    "update emails set sent_at = date_trunc('minute', sent_at) where sent_at is not null",
  );

  const all = (await post.asAdmin().listEmails({ pageSize: 100 })).emails;
  const walked: string[] = [];
  let pageToken = "";
  do {
    const page = await post.asAdmin().listEmails({ pageSize: 2, pageToken });
    walked.push(...page.emails.map(({ id }) => id));
    pageToken = page.nextPageToken;
    expect(walked.length, "pages go round in circles").toBeLessThanOrEqual(all.length);
  } while (pageToken);
  expect(walked).toEqual(all.map(({ id }) => id));
  const times = all.map(({ sentAt }) => sentAt?.seconds ?? 0n);
  expect(times).toEqual(times.toSorted((a, b) => Number(b - a)));
});

test("a token of another list is refused, and so is everybody but an admin", async () => {
  const invalid = { code: Code.InvalidArgument, reason: "PAGE_TOKEN_INVALID", fields: ["page_token"] };
  const { nextPageToken } = await post.asAdmin().listEmails({ pageSize: 1 });
  expect(nextPageToken).not.toBe("");
  const orderId = uuidv7();
  expect(await refusal(post.asAdmin().listEmails({ pageToken: nextPageToken, orderId }))).toEqual(invalid);
  expect(await refusal(post.asAdmin().listEmails({ pageToken: `${nextPageToken}A` }))).toEqual(invalid);
  const customer = post.served.client(EmailService, { user: { id: uuidv7(), roles: ["customer"] } });
  expect(await refusal(customer.listEmails({}))).toEqual({
    code: Code.PermissionDenied,
    reason: "ROLE_MISSING",
    fields: [],
  });
});
