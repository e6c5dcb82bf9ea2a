/** email in Python is the same service as in TypeScript: they hand one database back and forth, and answer alike. */
import { toJson } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterEach, expect, test, vi } from "vitest";
import { BadRequestSchema, ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import { EmailService } from "#gen/shop/email/v1/email_pb.ts";
import { OrderConfirmedSchema, OrderPlacedSchema } from "#gen/shop/order/v1/events_pb.ts";
import { OrderService } from "#gen/shop/order/v1/order_pb.ts";
import { DeadLetterService } from "#gen/weft/events/v1/dead_letters_pb.ts";
import { email } from "../../../services/email/service.ts";
import { type Mailbox, startMailbox } from "../../../services/email/testdata/mailbox.ts";
import { newOrder } from "../../../services/email/testdata/post.ts";
import { producer } from "../../system/producer.ts";
import { type Served, serve } from "../../system/serve.ts";

const languages = ["typescript", "python"] as const;
type Language = (typeof languages)[number];
const soon = { timeout: 60_000, interval: 20 };

let served: Served | undefined;
let mailbox: Mailbox | undefined;
afterEach(async () => {
  await end();
  vi.unstubAllEnvs();
});

async function end(): Promise<void> {
  await served?.stop();
  await mailbox?.stop();
  served = undefined;
  mailbox = undefined;
}

/** The service on a database of its own, in one language, with those whose events it reads. */
async function begin(language: Language) {
  await end();
  vi.stubEnv("WEFT_IMPL", `email=${language}`);
  const auth = producer(AuthService, [UserRegisteredSchema]);
  const order = producer(OrderService, [OrderPlacedSchema, OrderConfirmedSchema]);
  mailbox = await startMailbox();
  served = await serve([auth.definition, order.definition, email], { env: { SMTP_URL: mailbox.url } });
  return { system: served, mailbox, auth, order };
}

/** The next life of the service, on the database it has. */
async function goOnIn(language: Language): Promise<void> {
  await served!.end("email");
  vi.stubEnv("WEFT_IMPL", `email=${language}`);
  await served!.start(email);
}

const asAdmin = (system: Served) => system.client(EmailService, { user: { id: uuidv7(), roles: ["admin"] } });

test("each takes over what the other has in hand, and tells the same of it", async () => {
  const { system, mailbox, auth, order } = await begin("typescript");
  const customerId = uuidv7();
  const orders = [newOrder(customerId), newOrder(customerId), newOrder(customerId)];
  const confirmed = async (...expected: typeof orders) => {
    await vi.waitFor(async () => {
      const { emails } = await asAdmin(system).listEmails({});
      expect(emails.map(({ orderId }) => orderId).sort()).toEqual(
        expected.map(({ orderId }) => orderId).sort(),
      );
    }, soon);
  };
  // It waits for the address, which only the other one will hear.
  await order.record(OrderConfirmedSchema, { ...orders[0]!, version: 4n });
  await vi.waitFor(async () => expect(await rows(system, "select 1 from emails")).toHaveLength(1), soon);

  await goOnIn("python");
  await auth.record(UserRegisteredSchema, {
    userId: customerId,
    email: "ann@example.com",
    displayName: "Ann",
  });
  await confirmed(orders[0]!);
  await order.record(OrderConfirmedSchema, { ...orders[1]!, version: 4n });
  await confirmed(orders[0]!, orders[1]!);
  const page = await asAdmin(system).listEmails({ pageSize: 1 });

  await goOnIn("typescript");
  // A page token of one leads on with the other.
  const rest = await asAdmin(system).listEmails({ pageSize: 5, pageToken: page.nextPageToken });
  expect([...page.emails, ...rest.emails].map(({ orderId }) => orderId)).toEqual(
    [orders[1]!, orders[0]!].map(({ orderId }) => orderId),
  );
  await order.record(OrderConfirmedSchema, { ...orders[2]!, version: 4n });
  await confirmed(...orders);
  expect(mailbox.mails).toHaveLength(3);
  const [first, second, third] = mailbox.mails.map(({ text, html, from, to }, index) =>
    JSON.stringify([text, html, from?.value, to]).replaceAll(orders[index]!.orderId, "ORDER"),
  );
  expect(first).toBe(second);
  expect(second).toBe(third);
});

test("an empty database becomes the same in both", async () => {
  const tables: Record<string, unknown> = {};
  for (const language of languages) tables[language] = await catalogue((await begin(language)).system);
  expect(tables.python).toEqual(tables.typescript);
});

test("refusals are alike to the letter", async () => {
  const user = (roles: string[]) => ({ user: { id: uuidv7(), roles } });
  const calls: Record<string, (system: Served) => Promise<unknown>> = {
    "a page too large": (system) => asAdmin(system).listEmails({ pageSize: 101 }),
    "several fields": (system) => asAdmin(system).listEmails({ pageSize: -1, orderId: "x" }),
    "U+0000": (system) => asAdmin(system).listEmails({ pageToken: "a\u0000b" }),
    "a token that is none": (system) => asAdmin(system).listEmails({ pageToken: "AAAA" }),
    "nobody signed in": (system) => system.client(EmailService).listEmails({}),
    "no token": (system) => system.client(EmailService, { token: "a.b.c" }).listEmails({}),
    "a token of long ago": async (system) => {
      const iat = Math.floor(Date.now() / 1000) - 3_600;
      const token = await system.tokenFor({ id: uuidv7(), roles: ["admin"] }, { iat });
      return system.client(EmailService, { token }).listEmails({});
    },
    "a customer": (system) => system.client(EmailService, user(["customer"])).listEmails({}),
    "a caller not listed": (system) =>
      system.client(EmailService, { caller: "order", ...user(["admin"]) }).listEmails({}),
    "an unknown dead letter": (system) =>
      system.client(DeadLetterService, { caller: "operator", at: "email" }).getDeadLetter({ id: letter }),
    "dead letters for the edge": (system) =>
      system.client(DeadLetterService, { at: "email" }).listDeadLetters({}),
  };
  const letter = uuidv7();
  const answers: Record<string, Record<string, unknown>> = {};
  for (const language of languages) {
    const { system } = await begin(language);
    const own: Record<string, unknown> = {};
    for (const [name, call] of Object.entries(calls))
      own[name] = await call(system).then(() => "no refusal", refusalOf);
    answers[language] = own;
  }
  expect(answers.python).toEqual(answers.typescript);
  expect(Object.values(answers.typescript!)).not.toContain("no refusal");
});

test("a dead letter is found, replayed and told of alike", async () => {
  const told: Record<string, unknown> = {};
  for (const language of languages) {
    const { system, auth } = await begin(language);
    const userId = uuidv7();
    await auth.record(UserRegisteredSchema, { userId, email: "no address", displayName: "Ann" });
    const operator = system.client(DeadLetterService, { caller: "operator", at: "email" });
    const [letter] = await vi.waitFor(async () => {
      const { deadLetters } = await operator.listDeadLetters({});
      expect(deadLetters).toHaveLength(1);
      return deadLetters;
    }, soon);
    const replay = await operator.replayDeadLetter({ id: letter!.id, actor: "ann" }).catch(refusalOf);
    const { consumer, type, key, state, attempts, cause, payload, history } = await operator.getDeadLetter({
      id: letter!.id,
    });
    const tries = history.map(({ cause, actor }) => ({ cause, actor }));
    const whole = { replay, consumer, type, key, state, attempts, cause, payload, tries };
    told[language] = JSON.parse(JSON.stringify(whole).replaceAll(userId, "USER"));
  }
  expect(told.python).toEqual(told.typescript);
});

test("numbers have the same names, but for those of the language", async () => {
  const names: Record<string, string[]> = {};
  for (const language of languages) {
    const { system, order } = await begin(language);
    await order.record(OrderConfirmedSchema, { ...newOrder(uuidv7()), version: 4n });
    await asAdmin(system).listEmails({});
    const read = async () => (await fetch(`${system.url("email")}/metrics`)).text();
    const text = await vi.waitFor(async () => {
      const text = await read();
      expect(text).toContain("weft_consumer_deliveries_total{");
      return text;
    }, soon);
    names[language] = [...text.matchAll(/^# TYPE (\S+ \S+)$/gm)]
      .map(([, name]) => name!)
      .filter((name) => !/^(python|nodejs|v8js)_/.test(name))
      .sort();
  }
  expect(names.python).toEqual(names.typescript);
});

function refusalOf(error: unknown) {
  const status = ConnectError.from(error);
  return {
    code: status.code,
    rawMessage: status.rawMessage,
    info: status.findDetails(ErrorInfoSchema).map((detail) => toJson(ErrorInfoSchema, detail)),
    fields: status.findDetails(BadRequestSchema).map((detail) => toJson(BadRequestSchema, detail)),
  };
}

async function rows(system: Served, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: system.database("email") });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Everything in a database that a program can notice. */
async function catalogue(system: Served) {
  return {
    columns: await rows(
      system,
      `select table_name, column_name, data_type, is_nullable, column_default, is_identity, numeric_precision
       from information_schema.columns where table_schema = 'public' order by table_name, column_name`,
    ),
    indexes: await rows(
      system,
      "select tablename, indexdef from pg_indexes where schemaname = 'public' order by tablename, indexdef",
    ),
    checks: await rows(
      system,
      `select conrelid::regclass::text as table, pg_get_constraintdef(oid) as rule from pg_constraint
       where connamespace = 'public'::regnamespace order by 1, 2`,
    ),
    migrations: await rows(system, "select name from mikro_orm_migrations order by id"),
  };
}
