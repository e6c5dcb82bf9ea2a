import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

/** A mail as the inbox lists it; the whole of it is in `file`. */
export type Mail = {
  messageId: string;
  from: string;
  to: string[];
  subject: string;
  text: string;
  /** RFC 3339 time at which it was first received. */
  receivedAt: string;
  /** Name in the inbox's folder. */
  file: string;
};

export type Inbox = {
  port: number;
  stop(): Promise<void>;
};

const index = "index.jsonl";
/** Beyond this many mails the oldest go: a system that is left running does not fill the disk. */
const mostMails = 10_000;
/** Bytes. What a shop sends is far smaller. */
const biggestMail = 1024 ** 2;

/**
 * A mail server that keeps what it gets: each mail as an .eml file, and a line of
 * JSON in index.jsonl.
 *
 * Senders try again when they did not hear the answer; mails with the same
 * Message-ID (RFC 5322 section 3.6.4) are therefore one mail, stored once.
 *
 * @param folder created if missing
 * @param port on 127.0.0.1; 0 takes a free one
 */
export async function startInbox({ folder, port }: { folder: string; port: number }): Promise<Inbox> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const mails = readInbox(folder);
  const known = new Set(mails.map(({ messageId }) => messageId));
  // One at a time: two copies of a mail may arrive on two connections at once.
  let last: Promise<unknown> = Promise.resolve();
  const oneByOne = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
  const store = async (raw: Buffer) => {
    const mail = await describe(raw);
    if (known.has(mail.messageId)) return;
    await writeFile(join(folder, mail.file), raw, { mode: 0o600 });
    await appendFile(join(folder, index), `${JSON.stringify(mail)}\n`, { mode: 0o600 });
    known.add(mail.messageId);
    mails.push(mail);
    if (mails.length > mostMails) forgetOldest(folder, mails, known);
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    size: biggestMail,
    closeTimeout: 1_000,
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= biggestMail) chunks.push(chunk);
      });
      stream.on("end", () => {
        if (size > biggestMail) return callback(tooBig());
        oneByOne(() => store(Buffer.concat(chunks))).then(
          () => callback(null, `stored for ${session.envelope.rcptTo.length} recipients`),
          (error: Error) => callback(error),
        );
      });
    },
  });
  server.on("error", () => {}); // a client that hangs up; the server goes on
  await new Promise<void>((resolve, reject) => {
    server.server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve());
  });
  const address = server.server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    stop: async () => {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await last;
    },
  };
}

/** All mails of an inbox, oldest first. Works while the inbox is running, from another process too. */
export function readInbox(folder: string): Mail[] {
  const mails: Mail[] = [];
  for (const line of readOr(join(folder, index)).split("\n")) {
    if (line === "") continue;
    try {
      mails.push(JSON.parse(line) as Mail);
    } catch {
      // the last line of a runner that was killed while writing it
    }
  }
  return mails;
}

async function describe(raw: Buffer): Promise<Mail> {
  const parsed = await simpleParser(raw, { skipHtmlToText: true, skipImageLinks: true });
  const messageId = parsed.messageId ?? `<${randomUUID()}@inbox.invalid>`;
  const recipients = [parsed.to ?? []]
    .flat()
    .flatMap(({ value }) => value.map(({ address }) => address ?? ""));
  return {
    messageId,
    from: parsed.from?.text ?? "",
    to: recipients.filter((address) => address !== ""),
    subject: parsed.subject ?? "",
    text: parsed.text ?? "",
    receivedAt: new Date().toISOString(),
    file: fileFor(messageId),
  };
}

/** The Message-ID where it makes a file name, else a digest of it: it comes from outside and may hold anything. */
function fileFor(messageId: string): string {
  const plain = /^<([A-Za-z0-9@=_+-][A-Za-z0-9.@=_+-]{0,150})>$/.exec(messageId)?.[1];
  return `${plain ?? createHash("sha256").update(messageId).digest("hex")}.eml`;
}

function forgetOldest(folder: string, mails: Mail[], known: Set<string>): void {
  for (const mail of mails.splice(0, Math.ceil(mostMails / 10))) {
    known.delete(mail.messageId);
    rmSync(join(folder, mail.file), { force: true });
  }
  writeFileSync(join(folder, index), mails.map((mail) => `${JSON.stringify(mail)}\n`).join(""), {
    mode: 0o600,
  });
}

function tooBig(): Error {
  // The code is the SMTP reply: 552 exceeded storage allocation (RFC 5321).
  return Object.assign(new Error(`a mail may have ${biggestMail} bytes`), { responseCode: 552 });
}

function readOr(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
