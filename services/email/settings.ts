import { z } from "zod";
import { issuesOf } from "#mesh/runtime/config.ts";
import { type Address, isAddress } from "./mail.ts";

/** email's own settings. */
export interface EmailSettings {
  /** smtp:// or smtps:// URL; may hold a password. */
  readonly smtpUrl: string;
  /** Sender of every mail: NAME <ADDRESS>. */
  readonly from: Address;
}

const sender = z.string().transform((text, context): Address => {
  const match = /^\s*(?:([^<>\p{Cc}]*?)\s*<([^<>]+)>|(\S+))\s*$/u.exec(text);
  const address = match?.[2] ?? match?.[3] ?? "";
  if (isAddress(address)) return { name: match?.[1] ?? "", address };
  context.addIssue({ code: "custom", message: "must be NAME <ADDRESS> or ADDRESS" });
  return z.NEVER;
});

const schema = z.object({
  SMTP_URL: z.url({ protocol: /^smtps?$/, error: "must be smtp://HOST:PORT or smtps://HOST:PORT" }),
  MAIL_FROM: sender.prefault("Weft Shop <shop@example.com>"),
});

/**
 * Reads email's own settings.
 * @throws Error naming every variable that is missing or malformed, never its value
 */
export function readSettings(env: NodeJS.ProcessEnv): EmailSettings {
  const parsed = schema.safeParse(env);
  if (!parsed.success) throw new Error(`configuration: ${issuesOf(parsed.error)}`);
  return { smtpUrl: parsed.data.SMTP_URL, from: parsed.data.MAIL_FROM };
}
