/** Mails through the contract: events come in over a real bus, mails go out to a real mail server. */
import { Code, type ConnectError } from "@connectrpc/connect";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { ParsedMail } from "mailparser";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import { Email_Kind, EmailService } from "#gen/shop/email/v1/email_pb.ts";
import {
  OrderCancelledSchema,
  OrderConfirmedSchema,
  OrderPlacedSchema,
} from "#gen/shop/order/v1/events_pb.ts";
import { Order_CancelReason, OrderService } from "#gen/shop/order/v1/order_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { producer } from "../../test/system/producer.ts";
import { type Served, serve } from "../../test/system/serve.ts";
import { email } from "./service.ts";
import { type Mailbox, startMailbox } from "./testdata/mailbox.ts";

const auth = producer(AuthService, [UserRegisteredSchema]);
const order = producer(OrderService, [OrderPlacedSchema, OrderConfirmedSchema, OrderCancelledSchema]);
let mailbox: Mailbox;
let served: Served;
let database: pg.Client;
beforeAll(async () => {
  mailbox = await startMailbox();
  served = await serve([auth.definition, order.definition, email], { env: { SMTP_URL: mailbox.url } });
  database = new pg.Client({ connectionString: served.database("email") });
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await served?.stop();
  await mailbox?.stop();
});

const soon = { timeout: 15_000, interval: 20 };
const asAdmin = () => served.client(EmailService, { user: { id: uuidv7(), roles: ["admin"] } });

async function registered(displayName = "Alice") {
  const userId = uuidv7();
  const address = `${userId}@example.com`;
  await auth.record(UserRegisteredSchema, { userId, email: address, displayName });
  return { customerId: userId, address };
}

const usd = (units: bigint, nanos = 0) => ({ currencyCode: "USD", units, nanos });

function newOrder(customerId: string) {
  const orderId = uuidv7();
  const items = [
    { productId: uuidv7(), productName: "House Espresso", quantity: 2, unitPrice: usd(12n, 900_000_000) },
  ];
  return { orderId, customerId, items, total: usd(25n, 800_000_000) };
}

const confirm = (event: ReturnType<typeof newOrder>, version = 4n) =>
  order.record(OrderConfirmedSchema, { ...event, version });
const cancel = (event: ReturnType<typeof newOrder>, version = 6n) =>
  order.record(OrderCancelledSchema, { ...event, version, reason: Order_CancelReason.REQUESTED });

const mailsOf = (orderId: string): ParsedMail[] =>
  mailbox.mails.filter(({ subject }) => subject?.includes(orderId));

/** Waits until the mailer has recorded so many mails of an order as sent. */
async function sent(orderId: string, count = 1) {
  return vi.waitFor(async () => {
    const { emails } = await asAdmin().listEmails({ orderId });
    expect(emails.length).toBe(count);
    return emails;
  }, soon);
}

/** Mails of an order as the table has them, waiting ones too. */
async function rowsOf(orderId: string) {
  const { rows } = await database.query(
    "select kind, event_id, attempts, sent_at from emails where order_id = $1 order by order_version",
    [orderId],
  );
  return rows;
}

test("a confirmed order gets one mail, which says what was bought", async () => {
  const { customerId, address } = await registered();
  const event = newOrder(customerId);
  await order.record(OrderPlacedSchema, {
    ...event,
    version: 1n,
    placedAt: { seconds: BigInt(Date.parse("2026-11-20T08:00:00Z") / 1000), nanos: 0 },
  });
  await vi.waitFor(async () => {
    const { rowCount } = await database.query("select 1 from placed_orders where order_id = $1", [
      event.orderId,
    ]);
    expect(rowCount).toBe(1);
  }, soon);
  await confirm(event);
  const [listed] = await sent(event.orderId);
  const [mail, ...more] = mailsOf(event.orderId);
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
  const { customerId } = await registered();
  const event = newOrder(customerId);
  await cancel(event);
  await sent(event.orderId);
  expect(mailsOf(event.orderId).map(({ subject }) => subject)).toEqual([
    `Your order ${event.orderId} is cancelled`,
  ]);
  expect(mailsOf(event.orderId)[0]?.text).toContain("cancelled: as you asked.");
});

test("an event that is delivered again sends nothing again", async () => {
  const { customerId } = await registered();
  const event = newOrder(customerId);
  await confirm(event);
  await sent(event.orderId);

  const { host, username, password } = new URL(served.natsUrl);
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
  const sentinel = newOrder(customerId);
  await confirm(sentinel);
  await sent(sentinel.orderId);
  expect(mailsOf(event.orderId).length).toBe(1);
  expect((await rowsOf(event.orderId)).length).toBe(1);
});

test("a mail whose recipient is not known yet leaves when the registration arrives", async () => {
  const userId = uuidv7();
  const event = newOrder(userId);
  await confirm(event);
  await vi.waitFor(async () => expect(await rowsOf(event.orderId)).toMatchObject([{ attempts: 0 }]), soon);
  expect(mailsOf(event.orderId)).toEqual([]);
  await auth.record(UserRegisteredSchema, { userId, email: "late@example.com" });
  expect(await sent(event.orderId)).toMatchObject([{ recipient: "late@example.com" }]);
  expect(mailsOf(event.orderId).length).toBe(1);
});

test("a mail that the server refuses, or takes without an answer, is sent again under the same Message-ID", async () => {
  const { customerId } = await registered();
  const event = newOrder(customerId);
  mailbox.moods.push("refuse", "take, then hang up");
  await confirm(event);
  const [listed] = await sent(event.orderId);
  expect(mailsOf(event.orderId).map(({ messageId }) => messageId)).toEqual(
    Array(2).fill(`<${listed?.eventId}@example.com>`),
  );
  expect(await rowsOf(event.orderId)).toMatchObject([{ attempts: 3 }]);
});

test("a crash between the mail server and the commit repeats the mail under the same Message-ID", async () => {
  const { customerId } = await registered();
  const event = newOrder(customerId);
  await confirm(event);
  await sent(event.orderId);
  await database.query(
    "update emails set sent_at = null, recipient = null, subject = null, next_try_at = now() where order_id = $1",
    [event.orderId],
  );
  await sent(event.orderId);
  const [first, second, ...more] = mailsOf(event.orderId);
  expect(more).toEqual([]);
  expect(second?.messageId).toBe(first?.messageId);
  expect(second?.text).toBe(first?.text);
});

test("the cancellation waits for a confirmation that is being retried", async () => {
  const { customerId } = await registered();
  const event = newOrder(customerId);
  mailbox.moods.push("refuse");
  await confirm(event);
  await cancel(event);
  const emails = await sent(event.orderId, 2);
  const kinds = [Email_Kind.ORDER_CANCELLATION, Email_Kind.ORDER_CONFIRMATION];
  expect(emails.map(({ kind }) => kind)).toEqual(kinds);
  expect(mailsOf(event.orderId).map(({ subject }) => subject?.split(" ").at(-1))).toEqual([
    "confirmed",
    "cancelled",
  ]);
});

test("a confirmation that was overtaken by the cancellation is not sent", async () => {
  const { customerId } = await registered();
  const event = newOrder(customerId);
  await cancel(event);
  await sent(event.orderId);
  await confirm(event);
  await vi.waitFor(async () => expect((await rowsOf(event.orderId)).length).toBe(2), soon);
  const sentinel = newOrder(customerId);
  await confirm(sentinel);
  await sent(sentinel.orderId);
  expect(await rowsOf(event.orderId)).toMatchObject([
    { kind: "ORDER_CONFIRMATION", attempts: 0, sent_at: null },
    { kind: "ORDER_CANCELLATION", attempts: 1 },
  ]);
});

test("a mail server that says nothing holds up neither events nor calls nor a transaction", async () => {
  const { customerId } = await registered();
  const event = newOrder(customerId);
  const before = mailbox.silent();
  mailbox.moods.push("stay silent");
  await confirm(event);
  await vi.waitFor(() => expect(mailbox.silent()).toBe(before + 1), soon);
  const { rows } = await database.query(
    `select count(*)::int as open from pg_stat_activity
     where datname = current_database() and xact_start < now() - interval '1 second'`,
  );
  expect(rows).toEqual([{ open: 0 }]);
  expect(await asAdmin().listEmails({ pageSize: 1 })).toBeDefined();
  const other = await registered();
  await vi.waitFor(async () => {
    const sql = "select 1 from recipients where user_id = $1";
    expect((await database.query(sql, [other.customerId])).rowCount).toBe(1);
  }, soon);
  await sent(event.orderId); // after the timeout, by the second try
  expect(mailsOf(event.orderId).length).toBe(1);
});

test("names cannot add headers, recipients or markup to a mail", async () => {
  const { customerId, address } = await registered("Eve\r\nBcc: victim@example.com\r\n\r\n<b>hi</b>");
  const event = newOrder(customerId);
  const [item] = event.items;
  const items = [{ ...item, productName: "<script>alert(1)</script>\r\nSubject: free" }];
  await confirm({ ...event, items } as typeof event);
  await sent(event.orderId);
  const [mail] = mailsOf(event.orderId);
  expect(mail?.headers.has("bcc")).toBe(false);
  expect(mail?.to).toMatchObject({ value: [{ address }] });
  expect(mail?.subject).toBe(`Your order ${event.orderId} is confirmed`);
  expect(mail?.html).not.toContain("<script>");
  expect(mail?.html).not.toContain("<b>");
});

test("an address that nothing can be sent to goes to the dead letters", async () => {
  const userId = uuidv7();
  await auth.record(UserRegisteredSchema, { userId, email: "a@b.c\r\nBcc: d@e.f" });
  await vi.waitFor(async () => {
    const { rows } = await database.query("select state, cause from dead_letters where key = $1", [userId]);
    expect(rows).toMatchObject([
      { state: "open", cause: expect.stringContaining("email is not an address") },
    ]);
  }, soon);
  expect((await database.query("select 1 from recipients where user_id = $1", [userId])).rowCount).toBe(0);
});

test("admins page through all mails, newest first, each exactly once", async () => {
  const { customerId } = await registered();
  const orders = Array.from({ length: 7 }, () => newOrder(customerId));
  await Promise.all(orders.map((event) => confirm(event)));
  for (const { orderId } of orders) await sent(orderId);
  // Equal times must not confuse the pages.
  await database.query("update emails set sent_at = date_trunc('minute', sent_at) where sent_at is not null");

  const all = (await asAdmin().listEmails({ pageSize: 100 })).emails;
  const walked: string[] = [];
  let pageToken = "";
  do {
    const page = await asAdmin().listEmails({ pageSize: 2, pageToken });
    walked.push(...page.emails.map(({ id }) => id));
    pageToken = page.nextPageToken;
    expect(walked.length, "pages go round in circles").toBeLessThanOrEqual(all.length);
  } while (pageToken);
  expect(walked).toEqual(all.map(({ id }) => id));
  const times = all.map(({ sentAt }) => sentAt?.seconds ?? 0n);
  expect(times).toEqual(times.toSorted((a, b) => Number(b - a)));
});

async function refusal(call: Promise<unknown>) {
  const error = (await call.then(
    () => expect.fail("the call was not refused"),
    (error: unknown) => error,
  )) as ConnectError;
  return { code: error.code, reason: reasonOf(error) };
}

test("a token of another list is refused, and so is everybody but an admin", async () => {
  const invalid = { code: Code.InvalidArgument, reason: "PAGE_TOKEN_INVALID" };
  const { nextPageToken } = await asAdmin().listEmails({ pageSize: 1 });
  expect(nextPageToken).not.toBe("");
  const orderId = uuidv7();
  expect(await refusal(asAdmin().listEmails({ pageToken: nextPageToken, orderId }))).toEqual(invalid);
  expect(await refusal(asAdmin().listEmails({ pageToken: `${nextPageToken}A` }))).toEqual(invalid);
  const customer = served.client(EmailService, { user: { id: uuidv7(), roles: ["customer"] } });
  expect(await refusal(customer.listEmails({}))).toEqual({
    code: Code.PermissionDenied,
    reason: "ROLE_MISSING",
  });
});
