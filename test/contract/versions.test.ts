/** Two versions of a contract side by side, as docs/contracts.md tells: one workload, one set of rules, two translations. */
import { resolve } from "node:path";
import { createFileRegistry, type DescMessage, type DescService } from "@bufbuild/protobuf";
import type { FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { defineEntity, p } from "@mikro-orm/core";
import { Migration } from "@mikro-orm/migrations";
import type { MikroORM } from "@mikro-orm/postgresql";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEventTables, eventEntities, recordEvent } from "#mesh/runtime/events/index.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { compile } from "../../mesh/codegen/weft/testdata/compile.ts";
import { judge } from "../../mesh/contracts/judge.ts";
import { type Served, serve } from "../system/serve.ts";

const LoanRow = defineEntity({
  name: "LoanRow",
  tableName: "loans",
  properties: { id: p.uuid().primary(), book: p.text(), card: p.text(), name: p.text() },
});

class Loans extends Migration {
  override up(): void {
    const table =
      "create table loans (id uuid primary key, book text not null, card text not null, name text not null)";
    for (const sql of [...createEventTables, table]) this.addSql(sql);
  }
}

let both: FileDescriptorSet;
let v1: DescService;
let v2: DescService;
let served: Served;

beforeAll(async () => {
  both = compile("test/contract/testdata/versions/library", ["test/contract/testdata/versions"]);
  const registry = createFileRegistry(both);
  [v1, v2] = ["v1", "v2"].map((version) => registry.getService(`library.loans.${version}.LoanService`)!) as [
    DescService,
    DescService,
  ];
  const lent = [v1, v2].map(({ file }) => registry.getMessage(`${file.proto.package}.BookLent`)!);
  served = await serve([definitionOf(lent)], { callers: ["readers"] });
});
afterAll(() => served?.stop());

function definitionOf(lent: readonly DescMessage[]): ServiceDefinition {
  return {
    contract: v1,
    otherVersions: [v2],
    storage: { entities: [LoanRow, ...eventEntities], migrations: [Loans] },
    emits: lent,
    compose: ({ orm }) => ({
      routes: (router) => {
        router.service(v1, first(orm, lent) as Partial<ServiceImpl<DescService>>);
        router.service(v2, second(orm, lent) as Partial<ServiceImpl<DescService>>);
      },
    }),
  };
}

interface Lending {
  readonly book: string;
  readonly card: string;
  readonly name: string;
}

/** The use case, which knows no version. Readers of either version are told, in the transaction that makes it true. */
async function lendBook(orm: MikroORM, [lentV1, lentV2]: readonly DescMessage[], lending: Lending) {
  const id = uuidv7();
  await inTransaction(orm, async (tx) => {
    tx.create(LoanRow, { id, ...lending });
    recordEvent(tx, lentV1!, { id, reader: lending.name });
    recordEvent(tx, lentV2!, { id, reader: { card: lending.card, name: lending.name } });
  });
  return { id, ...lending };
}

const find = (orm: MikroORM, id: string) => orm.em.fork().findOneOrFail(LoanRow, { id });

/** v1 translated: a reader is a name. */
function first(orm: MikroORM, lent: readonly DescMessage[]): object {
  const told = ({ id, book, name }: Lending & { id: string }) => ({ id, book, reader: name });
  return {
    lendBook: async ({ book, reader }: { book: string; reader: string }) =>
      told(await lendBook(orm, lent, { book, card: "", name: reader })),
    getLoan: async ({ id }: { id: string }) => told(await find(orm, id)),
  };
}

/** v2 translated: a reader is a card. */
function second(orm: MikroORM, lent: readonly DescMessage[]): object {
  const told = ({ id, book, card, name }: Lending & { id: string }) => ({ id, book, reader: { card, name } });
  return {
    lendBook: async ({ book, reader }: { book: string; reader: { card: string; name: string } }) =>
      told(await lendBook(orm, lent, { book, card: reader.card, name: reader.name })),
    getLoan: async ({ id }: { id: string }) => told(await find(orm, id)),
  };
}

type Calls = Record<string, (request: object) => Promise<{ id: string }>>;
const client = (contract: DescService) => served.client(contract, { caller: "readers" }) as unknown as Calls;

test("clients of either version see what the other one did", async () => {
  const old = await client(v1).lendBook!({ book: "Middlemarch", reader: "Ann" });
  expect(await client(v2).getLoan!({ id: old.id })).toMatchObject({ reader: { card: "", name: "Ann" } });
  const reader = { card: "17", name: "Bob" };
  const recent = await client(v2).lendBook!({ book: "Emma", reader });
  expect(await client(v1).getLoan!({ id: recent.id })).toMatchObject({ book: "Emma", reader: "Bob" });
});

test("readers of either version are told", async () => {
  const { id } = await client(v2).lendBook!({ book: "Emma", reader: { card: "17", name: "Bob" } });
  const database = new pg.Client({ connectionString: served.database("loans") });
  await database.connect();
  const { rows } = await database.query("select type, stream from outbox where key = $1 order by type", [id]);
  await database.end();
  expect(rows).toEqual([
    { type: "library.loans.v1.BookLent", stream: "LIBRARY_LOANS_V1" },
    { type: "library.loans.v2.BookLent", stream: "LIBRARY_LOANS_V2" },
  ]);
});

test("the gate lets a second version in, and does not let the first one out while somebody may call it", () => {
  const only = (version: string): FileDescriptorSet => ({
    ...both,
    file: both.file.filter(({ name }) => !name.startsWith("library/") || name.includes(`/${version}/`)),
  });
  const verdict = (before: FileDescriptorSet, now: FileDescriptorSet) =>
    judge({
      before,
      now,
      ours: (file) => file.startsWith("library/"),
      root: resolve(import.meta.dirname, "../.."),
      consumers: "test/contract/no-such-folder",
      accepted: new Map(),
    });
  expect(verdict(only("v1"), both).changes).toEqual([]);
  const gone = verdict(both, only("v2")).changes;
  expect(gone.map(({ change }) => change.id)).toContain("library.loans.v1.LoanService/LendBook: removed");
  expect(new Set(gone.flatMap(({ hits }) => [...hits.consumers.keys()]))).toEqual(
    new Set(["readers", "REST clients"]),
  );
});
