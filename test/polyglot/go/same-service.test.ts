/** inventory in Go is the same service as in TypeScript: they hand one database back and forth, and answer alike. */
import { toJson } from "@bufbuild/protobuf";
import { type Client, ConnectError } from "@connectrpc/connect";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterEach, expect, test, vi } from "vitest";
import { BadRequestSchema, ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { InventoryService, Reservation_Status } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { inventory } from "../../../services/inventory/service.ts";
import { until } from "../../system/runner-process.ts";
import { type Served, serve } from "../../system/serve.ts";

const languages = ["typescript", "go"] as const;
type Language = (typeof languages)[number];

let served: Served | undefined;
afterEach(async () => {
  await served?.stop();
  served = undefined;
  vi.unstubAllEnvs();
});

/** The service on a database of its own, in one language. */
async function begin(language: Language): Promise<Served> {
  vi.stubEnv("WEFT_IMPL", `inventory=${language}`);
  served = await serve([inventory]);
  return served;
}

/** The next life of the service, on the database it has. */
async function goOnIn(language: Language): Promise<void> {
  await served!.end("inventory");
  vi.stubEnv("WEFT_IMPL", `inventory=${language}`);
  await served!.start(inventory);
}

const clients = (system: Served) => ({
  admin: system.client(InventoryService, { user: { id: uuidv7(), roles: ["admin"] } }),
  order: system.client(InventoryService, { caller: "order" }),
});

test("each takes over the database of the other, and what is reserved in it", async () => {
  const system = await begin("typescript");
  const productId = uuidv7();
  const [first, second] = [uuidv7(), uuidv7()];
  await clients(system).admin.adjustStock({ productId, delta: 10 });
  await clients(system).order.reserve({ orderId: first, items: [{ productId, quantity: 4 }] });

  await goOnIn("go");
  await clients(system).order.commit({ orderId: first });
  await clients(system).order.reserve({ orderId: second, items: [{ productId, quantity: 1 }] });

  await goOnIn("typescript");
  const { status } = await clients(system).order.release({ orderId: second });
  expect(status).toBe(Reservation_Status.RELEASED);
  const { available, reserved, sold, version } = await clients(system).admin.getStock({ productId });
  expect({ available, reserved, sold, version }).toEqual({ available: 6, reserved: 0, sold: 4, version: 5n });
});

test("events of both leave in the order of the product's versions", async () => {
  const system = await begin("go");
  const productId = uuidv7();
  for (const [life, language] of (["go", "typescript", "go"] as const).entries()) {
    if (life > 0) await goOnIn(language);
    await clients(system).admin.adjustStock({ productId, delta: 1 });
  }
  await expect
    .poll(() =>
      rows(
        system,
        "select version::int, published_at is not null as gone from outbox order by stream_sequence",
      ),
    )
    .toEqual([1, 2, 3].map((version) => ({ version, gone: true })));
});

test("an empty database becomes the same in both", async () => {
  const tables: Record<string, unknown> = {};
  for (const language of languages) {
    tables[language] = await catalogue(await begin(language));
    await served!.stop();
    served = undefined;
  }
  expect(tables.go).toEqual(tables.typescript);
});

test("refusals are alike to the letter", async () => {
  const productId = uuidv7();
  const released = uuidv7();
  const calls: Record<string, (system: Served) => Promise<unknown>> = {
    "an id that is none": (system) => clients(system).admin.getStock({ productId: "42" }),
    "several fields": (system) =>
      clients(system).order.reserve({ orderId: "x", items: [{ productId: "y", quantity: 0 }] }),
    "nothing at all": (system) => clients(system).order.reserve({}),
    "too much": (system) => clients(system).admin.adjustStock({ productId, delta: 1_000_001 }),
    "no change": (system) => clients(system).admin.adjustStock({ productId, delta: 0 }),
    "U+0000": (system) => clients(system).admin.adjustStock({ productId, delta: 1, reason: "a\u0000b" }),
    "an unknown product": (system) => clients(system).admin.getStock({ productId }),
    "more than there is": (system) =>
      clients(system).order.reserve({ orderId: uuidv7(), items: [{ productId, quantity: 1 }] }),
    "less than nothing": (system) => clients(system).admin.adjustStock({ productId, delta: -1 }),
    "no reservation": (system) => clients(system).order.commit({ orderId: uuidv7() }),
    "given up": async (system) => {
      await clients(system).order.release({ orderId: released });
      return clients(system).order.commit({ orderId: released });
    },
    "nobody signed in": (system) => system.client(InventoryService).adjustStock({ productId, delta: 1 }),
    "no token": (system) =>
      system.client(InventoryService, { token: "a.b.c" }).adjustStock({ productId, delta: 1 }),
    "a token of long ago": async (system) => {
      const iat = Math.floor(Date.now() / 1000) - 3_600;
      const token = await system.tokenFor({ id: uuidv7(), roles: ["admin"] }, { iat });
      return system.client(InventoryService, { token }).adjustStock({ productId, delta: 1 });
    },
    "a customer": (system) => as(system, "customer").adjustStock({ productId, delta: 1 }),
    "a caller not listed": (system) =>
      system.client(InventoryService, { caller: "payment" }).release({ orderId: uuidv7() }),
  };
  const answers: Record<Language, Record<string, unknown>> = { typescript: {}, go: {} };
  for (const language of languages) {
    const system = await begin(language);
    for (const [name, call] of Object.entries(calls))
      answers[language][name] = await call(system).then(() => "no refusal", refusalOf);
    await system.stop();
    served = undefined;
  }
  expect(answers.go).toEqual(answers.typescript);
  expect(Object.values(answers.typescript)).not.toContain("no refusal");
});

test("numbers have the same names, but for those of the language", async () => {
  const names: Record<string, string[]> = {};
  for (const language of languages) {
    const system = await begin(language);
    await clients(system).admin.adjustStock({ productId: uuidv7(), delta: 1 });
    // Some numbers are there from the first event on.
    const text = await until("an event has left", async () => {
      const numbers = await (await fetch(`${system.url("inventory")}/metrics`)).text();
      return numbers.includes("weft_outbox_published_total") ? numbers : undefined;
    });
    names[language] = [...text.matchAll(/^# TYPE (\S+ \S+)$/gm)]
      .map(([, name]) => name!)
      .filter((name) => !/^(go|nodejs|v8js)_/.test(name))
      .sort();
    await system.stop();
    served = undefined;
  }
  expect(names.go).toEqual(names.typescript);
});

function as(system: Served, role: string): Client<typeof InventoryService> {
  return system.client(InventoryService, { user: { id: uuidv7(), roles: [role] } });
}

function refusalOf(error: unknown) {
  const { code, rawMessage, findDetails } = ConnectError.from(error);
  const find = findDetails.bind(ConnectError.from(error)) as ConnectError["findDetails"];
  return {
    code,
    rawMessage,
    info: find(ErrorInfoSchema).map((detail) => toJson(ErrorInfoSchema, detail)),
    fields: find(BadRequestSchema).map((detail) => toJson(BadRequestSchema, detail)),
  };
}

async function rows(system: Served, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: system.database("inventory") });
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
