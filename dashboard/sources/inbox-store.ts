/** Mails as the runner's inbox has them, numbered in the order in which they came. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import { type Mail, readInbox } from "#local/inbox.ts";
import { Ring } from "./ring.ts";

export interface StoredMail extends Mail {
  readonly position: number;
}

export class InboxStore {
  readonly #folder: string;
  readonly #known = new Set<string>();
  readonly #ring: Ring<StoredMail>;
  #seen = "";

  constructor(folder: string, size: number) {
    this.#folder = folder;
    this.#ring = new Ring<StoredMail>(size, ({ messageId }) => this.#known.delete(messageId));
  }

  get range() {
    return this.#ring.range;
  }

  /** Looks for new mails. */
  async read(): Promise<void> {
    const index = await stat(join(this.#folder, "index.jsonl")).catch(() => undefined);
    const now = index ? `${index.ino} ${index.size} ${index.mtimeMs}` : "";
    if (now === this.#seen) return;
    this.#seen = now;
    for (const mail of readInbox(this.#folder)) {
      if (this.#known.has(mail.messageId)) continue;
      this.#known.add(mail.messageId);
      this.#ring.push((position) => ({ ...mail, position }));
    }
  }

  /** Newest first. `text` is looked for in recipients, subject and body, in any case. */
  list({ text, before, limit }: { text: string; before: number; limit: number }): StoredMail[] {
    const wanted = text.toLowerCase();
    const found: StoredMail[] = [];
    for (const mail of this.#ring.before(before)) {
      const words = [...mail.to, mail.subject, mail.text].join("\n").toLowerCase();
      if (!words.includes(wanted)) continue;
      found.push(mail);
      if (found.length === limit) break;
    }
    return found;
  }

  /** A mail with all of it; undefined when it is not kept. */
  async get(position: number): Promise<{ mail: StoredMail; source: string; html: string } | undefined> {
    const mail = this.#ring.at(position);
    const source = mail && (await readFile(join(this.#folder, mail.file)).catch(() => undefined));
    if (!source) return undefined;
    const { html } = await simpleParser(source, { skipImageLinks: true });
    return { mail, source: source.toString("utf8"), html: html || "" };
  }
}
