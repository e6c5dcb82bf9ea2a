/**
 * DESIGN
 *
 * The mailer takes mails that wait, hands each to the mail server and marks it as sent, in this order:
 *
 *   claim (commit) → SMTP → mark (commit)
 *
 * No transaction is open during SMTP. A claim moves next_try_at beyond the longest conversation with the
 * server, so that no other replica takes the mail meanwhile, and a crash gives it free by itself. A process that
 * stood still for so long that the mail may be another's leaves it alone. A crash between SMTP and mark sends it
 * again with the same Message-ID: a mail may be repeated, never lost.
 *
 * Of one order, a mail waits for the earlier ones, and is not sent once a later one was tried. One that was tried
 * waits for nobody: what comes behind it is never sent.
 */
import type { MikroORM } from "@mikro-orm/postgresql";
import { failpoint } from "#mesh/runtime/failpoint.ts";
import { pollingWorker } from "#mesh/runtime/polling-worker.ts";
import type { Worker } from "#mesh/runtime/service.ts";
import { inSpan } from "#mesh/runtime/telemetry/in-span.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import { SpanKind, type SpanType } from "#mesh/runtime/telemetry/span.ts";
import { noTracer, type Tracer } from "#mesh/runtime/telemetry/tracer.ts";
import { writeMail } from "./mail.ts";
import type { EmailSettings } from "./settings.ts";
import type { Send } from "./smtp.ts";
import { type Email, EmailRow } from "./storage.ts";

const batchSize = 8;
/** Longer than a conversation with the mail server may take, in seconds. */
const claimSeconds = 30;
/** Milliseconds from the claim after which no conversation begins: it would not end within the claim. */
const beginWithinMs = 20_000;

/** Milliseconds after which the sending of a mail is worth a look. */
const slowMs = 2_000;
const mailSpan: SpanType = { name: "mail", kind: SpanKind.internal, attributes: {} };
const smtpSpan: SpanType = {
  name: "smtp send",
  kind: SpanKind.client,
  attributes: { "network.protocol.name": "smtp" },
};

/** What the mailer works with. */
export interface MailerParts {
  readonly orm: MikroORM;
  readonly send: Send;
  readonly from: EmailSettings["from"];
  readonly log: Logger;
  readonly tracer?: Tracer;
  /** Milliseconds of a clock that nobody sets; for tests. */
  readonly clock?: () => number;
}

/** A worker that sends what waits until it is stopped. */
export function mailer(parts: MailerParts): Worker {
  return pollingWorker({
    round: async () => (await sendWaiting(parts)) === batchSize,
    pollMs: 250,
    pauseAfterErrorMs: 1_000,
    onError: (error) => parts.log.warn({ err: error }, "mails cannot be sent now"),
  });
}

/** Sends the mails whose turn it is, a batch at most. @returns how many were tried */
export async function sendWaiting(parts: MailerParts): Promise<number> {
  const { tracer = noTracer, clock = () => performance.now() } = parts;
  const latestBegin = clock() + beginWithinMs;
  const claimed = await claim(parts.orm);
  const results = await Promise.allSettled(
    claimed.map(({ mail, ...rest }) => {
      const more = { "mail.id": mail.id, "mail.kind": mail.kind, "mail.attempts": mail.attempts };
      return tracer.run(mailSpan, mail, { slowMs, more }, async () => {
        if (clock() < latestBegin) return sendOne(parts, { mail, ...rest });
        parts.log.warn({ mailId: mail.id }, "a mail is left to a later claim: this process stood still");
      });
    }),
  );
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return claimed.length;
}

/** A mail in hand, with all that it takes to write it. */
interface Claimed {
  readonly mail: Email;
  readonly recipient: { readonly address: string; readonly displayName: string };
  readonly placedAt: Date | undefined;
}

async function claim(orm: MikroORM): Promise<Claimed[]> {
  const em = orm.em.fork();
  const rows = await em.execute(
    `with mail as (
       update emails set attempts = attempts + 1, next_try_at = now() + make_interval(secs => ?)
       where id in (
         select mail.id from emails mail
         where mail.sent_at is null and mail.next_try_at <= now()
           and exists (select from recipients where user_id = mail.customer_id)
           and not exists (select from emails other where other.order_id = mail.order_id and (
             (other.order_version < mail.order_version and other.sent_at is null and mail.attempts = 0)
             or (other.order_version > mail.order_version and other.attempts > 0)))
         order by mail.next_try_at limit ? for update skip locked)
       returning *
     )
     select mail.*, address, display_name, placed_at from mail
     join recipients on user_id = customer_id left join placed_orders using (order_id)`,
    [claimSeconds, batchSize],
  );
  return rows.map(({ address, display_name: displayName, placed_at, ...mail }) => ({
    mail: em.map(EmailRow, mail),
    recipient: { address, displayName },
    placedAt: placed_at === null ? undefined : new Date(placed_at),
  }));
}

async function sendOne({ orm, send, from, log }: MailerParts, claimed: Claimed): Promise<void> {
  const em = orm.em.fork();
  const { id, eventId, orderId, kind, order, occurredAt, attempts } = claimed.mail;
  const { address, displayName } = claimed.recipient;
  const written = writeMail({ kind, orderId, order, name: displayName, placedAt: claimed.placedAt });
  const messageId = `${eventId}@${from.address.slice(from.address.indexOf("@") + 1)}`;
  try {
    // The address alone: a display name is the customer's own text and adds nothing to delivery.
    failpoint("mail.send.before");
    const envelope = { ...written, messageId, from, to: { name: "", address }, date: occurredAt };
    await inSpan(smtpSpan, () => send(envelope));
    failpoint("mail.send.after");
  } catch (error) {
    const seconds = waitAfter(attempts);
    log.warn({ mailId: id, orderId, attempts, retryInSeconds: seconds, err: error }, "a mail was not taken");
    await em.execute("update emails set next_try_at = now() + make_interval(secs => ?) where id = ?", [
      seconds,
      id,
    ]);
    return;
  }
  await em.execute("update emails set sent_at = ?, recipient = ?, subject = ? where id = ?", [
    new Date(),
    address,
    written.subject,
    id,
  ]);
}

/** Seconds until the next try: 1, 2, 4, ... 60, jittered by a fifth. */
function waitAfter(attempts: number): number {
  return Math.min(60, 2 ** Math.min(attempts - 1, 6)) * (0.8 + Math.random() * 0.4);
}
