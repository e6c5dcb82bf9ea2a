import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Inbox, readInbox, startInbox } from "./inbox.ts";

let folder: string;
let inbox: Inbox;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "weft-inbox-"));
  inbox = await startInbox({ folder, port: 0 });
});

afterEach(async () => {
  await inbox.stop();
  rmSync(folder, { recursive: true, force: true });
});

function send(mail: { messageId?: string; subject?: string; text?: string; to?: string[] }) {
  const transport = createTransport({ host: "127.0.0.1", port: inbox.port });
  const { to = ["ann@example.com", "bob@example.com"] } = mail;
  return transport.sendMail({
    from: "Library <library@example.com>",
    subject: "Due",
    text: "Please return it.",
    ...mail,
    to,
  });
}

test("a mail is listed with what it says, and kept whole in a file named by its Message-ID", async () => {
  await send({ messageId: "<due-1@library.example>", subject: "Überfällig" });
  expect(readInbox(folder)).toEqual([
    {
      messageId: "<due-1@library.example>",
      from: '"Library" <library@example.com>',
      to: ["ann@example.com", "bob@example.com"],
      subject: "Überfällig",
      text: "Please return it.\n",
      receivedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      file: "due-1@library.example.eml",
    },
  ]);
  expect(readFileSync(join(folder, "due-1@library.example.eml"), "utf8")).toContain(
    "Message-ID: <due-1@library.example>",
  );
});

test("a mail that is sent again is stored once, also by copies at the same time and after a restart", async () => {
  await Promise.all([1, 2, 3].map(() => send({ messageId: "<due-2@library.example>" })));
  await inbox.stop();
  inbox = await startInbox({ folder, port: 0 });
  await send({ messageId: "<due-2@library.example>" });
  expect(readInbox(folder)).toHaveLength(1);
});

test("a Message-ID that is no file name stays inside the folder", async () => {
  await send({ messageId: "<../../etc/passwd@library.example>" });
  const [mail] = readInbox(folder);
  expect(mail?.file).toMatch(/^[0-9a-f]{64}\.eml$/);
  expect(readdirSync(folder).sort()).toEqual([mail?.file, "index.jsonl"].sort());
});

test("a mail of more than one megabyte is refused and not stored", async () => {
  await expect(send({ text: "x".repeat(1_100_000) })).rejects.toThrow("552");
  expect(readInbox(folder)).toEqual([]);
});
