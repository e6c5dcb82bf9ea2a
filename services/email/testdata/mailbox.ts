/** A real mail server for tests, which can be told to misbehave. */
import type { AddressInfo } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

/** What the server does with the next mail: takes it, refuses it, takes it without a word, or says nothing. */
export type Mood = "take" | "refuse" | "take, then hang up" | "stay silent";

export interface Mailbox {
  readonly url: string;
  /** Everything it ever took, in this order. */
  readonly mails: ParsedMail[];
  /** How it treats the next mails, one each; `take` when there are none left. */
  readonly moods: Mood[];
  /** Mails in whose conversation the server is silent now. */
  silent(): number;
  stop(): Promise<void>;
}

export async function startMailbox(): Promise<Mailbox> {
  const mails: ParsedMail[] = [];
  const moods: Mood[] = [];
  let silent = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData(stream, session, callback) {
      const mood = moods.shift() ?? "take";
      simpleParser(stream).then((mail) => {
        if (mood === "refuse") return callback(Object.assign(new Error("not now"), { responseCode: 451 }));
        if (mood === "stay silent") return void silent++;
        mails.push(mail);
        if (mood === "take, then hang up") {
          for (const connection of server.connections) {
            const { id, _socket } = connection as unknown as { id: string; _socket: { destroy(): void } };
            if (id === session.id) _socket.destroy();
          }
          return;
        }
        callback();
      }, callback);
    },
  });
  server.on("error", () => {}); // a client that hangs up
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails,
    moods,
    silent: () => silent,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
