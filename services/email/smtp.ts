import { createTransport } from "nodemailer";
import type { Address, Written } from "./mail.ts";

/** A mail with everything a server needs to take it. */
export interface Envelope extends Written {
  /** Without the angle brackets. */
  readonly messageId: string;
  readonly from: Address;
  readonly to: Address;
  readonly date: Date;
}

/** Hands a mail to the mail server; resolves when the server has taken it. */
export type Send = (mail: Envelope) => Promise<void>;

/** Longest waits for the mail server, in milliseconds. */
const connectTimeout = 3_000;
const silenceTimeout = 4_000;
/** Whole conversation; a server that trickles never hits the other two. */
const sendTimeout = 5_000;
/** How long a connection waits for another mail: shorter than servers wait for one, longer than the mailer's pause. */
const idleTimeout = 2_000;

/** The mail server did not take a mail. Says nothing that may name the recipient. */
export class SmtpError extends Error {
  override readonly name = "SmtpError";
}

/**
 * Keeps connections for mails that follow each other: greetings cost both sides more than a mail.
 * @param url smtp:// or smtps://
 */
export function smtpSender(url: string): Send {
  const transport = createTransport({
    url,
    pool: true,
    idleTimeout,
    // A mail whose connection ends goes back to the mailer, which knows whether it may still be sent.
    maxRequeues: 0,
    connectionTimeout: connectTimeout,
    greetingTimeout: connectTimeout,
    socketTimeout: silenceTimeout,
    // Nothing in a mail may make the library read files or fetch URLs.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async ({ messageId, from, to, date, subject, text, html }) => {
    const signal = AbortSignal.timeout(sendTimeout); // ends the conversation, too
    try {
      await transport.sendMail({ messageId: `<${messageId}>`, from, to, date, subject, text, html, signal });
    } catch (error) {
      throw signal.aborted ? new SmtpError(`no reply within ${sendTimeout} ms`) : withoutAddresses(error);
    }
  };
}

function withoutAddresses(error: unknown): SmtpError {
  const { code, command, responseCode } = error as { code?: string; command?: string; responseCode?: number };
  return new SmtpError([code ?? "failed", command, responseCode].filter(Boolean).join(" "));
}
