/** email that serves, for tests, with stand-ins for those who tell it events, and a mail server. */
import type { ParsedMail } from "mailparser";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { expect, vi } from "vitest";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import { type Email, EmailService } from "#gen/shop/email/v1/email_pb.ts";
import {
  OrderCancelledSchema,
  OrderConfirmedSchema,
  OrderPlacedSchema,
} from "#gen/shop/order/v1/events_pb.ts";
import { Order_CancelReason, OrderService } from "#gen/shop/order/v1/order_pb.ts";
import { producer } from "../../../test/system/producer.ts";
import { serve } from "../../../test/system/serve.ts";
import { email } from "../service.ts";
import { startMailbox } from "./mailbox.ts";

export const soon = { timeout: 60_000, interval: 20 };

export type Post = Awaited<ReturnType<typeof startPost>>;
export type OrderEvent = ReturnType<typeof newOrder>;

const usd = (units: bigint, nanos = 0) => ({ currencyCode: "USD", units, nanos });

/** What an event says of an order: two House Espresso at 12.90. */
export function newOrder(customerId: string, productName = "House Espresso") {
  const items = [{ productId: uuidv7(), productName, quantity: 2, unitPrice: usd(12n, 900_000_000) }];
  return { orderId: uuidv7(), customerId, items, total: usd(25n, 800_000_000) };
}

export async function startPost() {
  const auth = producer(AuthService, [UserRegisteredSchema]);
  const order = producer(OrderService, [OrderPlacedSchema, OrderConfirmedSchema, OrderCancelledSchema]);
  const mailbox = await startMailbox();
  const served = await serve([auth.definition, order.definition, email], { env: { SMTP_URL: mailbox.url } });
  const database = new pg.Client({ connectionString: served.database("email") });
  await database.connect();
  const asAdmin = () => served.client(EmailService, { user: { id: uuidv7(), roles: ["admin"] } });

  const confirm = (event: OrderEvent) => order.record(OrderConfirmedSchema, { ...event, version: 4n });
  /** Waits until so many mails of an order are on record as sent. */
  const sent = (orderId: string, count = 1): Promise<Email[]> =>
    vi.waitFor(async () => {
      const { emails } = await asAdmin().listEmails({ orderId });
      expect(emails.length).toBe(count);
      return emails;
    }, soon);

  return {
    served,
    mailbox,
    auth,
    order,
    /** Connection to the service's database. */
    database,
    asAdmin,
    confirm,
    cancel: (event: OrderEvent) =>
      order.record(OrderCancelledSchema, { ...event, version: 6n, reason: Order_CancelReason.REQUESTED }),
    sent,
    /** Tells of a new user, with an address of their own. */
    async registered(displayName = "Alice") {
      const customerId = uuidv7();
      const address = `${customerId}@example.com`;
      await auth.record(UserRegisteredSchema, { userId: customerId, email: address, displayName });
      return { customerId, address };
    },
    /** What the mail server took for an order. */
    mailsOf: (orderId: string): ParsedMail[] =>
      mailbox.mails.filter(({ subject }) => subject?.includes(orderId)),
    /** Mails of an order as the table has them, waiting ones too. */
    async rowsOf(orderId: string) {
      const sql =
        "select kind, event_id, attempts, sent_at from emails where order_id = $1 order by order_version";
      return (await database.query(sql, [orderId])).rows;
    },
    /** Has another mail sent: whatever could be sent before it has been tried by then. */
    async anotherSent(customerId: string) {
      const other = newOrder(customerId);
      await confirm(other);
      await sent(other.orderId);
    },
    async stop() {
      await database.end();
      await served.stop();
      await mailbox.stop();
    },
  };
}
