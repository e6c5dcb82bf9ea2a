/** A library where lending needs an Idempotency-Key, behind the interceptors that serve keys. */
import { create, createFileRegistry, setExtension } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_descriptor,
  file_google_protobuf_wrappers,
  MethodOptionsSchema,
  ServiceOptionsSchema,
  type StringValueSchema,
} from "@bufbuild/protobuf/wkt";
import {
  Code,
  type ConnectError,
  createClient,
  createRouterTransport,
  type Interceptor,
} from "@connectrpc/connect";
import { MikroORM } from "@mikro-orm/postgresql";
import { afterAll, beforeEach, expect, test } from "vitest";
import {
  file_weft_policy_v1_policy,
  IdempotencyKey,
  MethodPolicySchema,
  method as methodOption,
  ServicePolicySchema,
  service as serviceOption,
} from "#gen/weft/policy/v1/policy_pb.ts";
import { freshDatabase } from "../../../test/system/fresh.ts";
import { refusal } from "../../../test/system/refusal.ts";
import { principalKey } from "../identity/principal.ts";
import { renderErrors } from "../rpc/render-errors.ts";
import { keyedMethods, requireKey } from "../rpc/require-key.ts";
import { preparePool } from "../storage/database.ts";
import { inTransaction } from "../storage/transaction.ts";
import { createLogger } from "../telemetry/log.ts";
import { answerOnce } from "./answer-once.ts";
import { createStoredReplies, pruneReplies } from "./stored-replies.ts";

const log = createLogger("library", "silent");
const keyed = { idempotencyKey: IdempotencyKey.REQUIRED };
const signedIn = { access: { rule: { case: "signedIn" as const, value: true } } };

type Lending = GenService<{
  lend: { methodKind: "unary"; input: typeof StringValueSchema; output: typeof StringValueSchema };
}>;

/** Service with one method, Lend, that takes and answers a title. */
function lendingService(
  policy: Parameters<typeof create<typeof MethodPolicySchema>>[1],
  streams = false,
): Lending {
  const options = create(MethodOptionsSchema);
  setExtension(options, methodOption, create(MethodPolicySchema, policy));
  const serviceOptions = create(ServiceOptionsSchema);
  setExtension(serviceOptions, serviceOption, create(ServicePolicySchema, { name: "library" }));
  const title = ".google.protobuf.StringValue";
  const proto = create(FileDescriptorProtoSchema, {
    name: "library/v1/lending.proto",
    package: "library.v1",
    syntax: "proto3",
    dependency: ["google/protobuf/wrappers.proto"],
    service: [
      {
        name: "Lending",
        options: serviceOptions,
        method: [{ name: "Lend", inputType: title, outputType: title, options, serverStreaming: streams }],
      },
    ],
  });
  const known = [file_google_protobuf_wrappers, file_weft_policy_v1_policy, file_google_protobuf_descriptor];
  const registry = createFileRegistry(proto, (name) => known.find((file) => file.proto.name === name));
  return registry.getService("library.v1.Lending") as unknown as Lending;
}

const lending = lendingService({ ...keyed, ...signedIn });
const orms: MikroORM[] = [];
let url: string;
beforeEach(async () => {
  url = await freshDatabase("library");
  const orm = await openOrm();
  for (const sql of createStoredReplies) await orm.em.execute(sql);
  await orm.em.execute("create table loans (id integer generated always as identity, title text not null)");
});
afterAll(() => Promise.all(orms.map((orm) => orm.close(true))));

async function openOrm(): Promise<MikroORM> {
  const orm = await MikroORM.init({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    pool: { min: 0, max: 8 },
    driverOptions: { onPoolCreated: preparePool, options: "-c lock_timeout=300" },
  });
  orms.push(orm);
  return orm;
}

/** A process of the service. `before` runs in each transaction before the reply is kept. */
async function library(before: (title: string) => Promise<void> = async () => {}, keeps = true) {
  const orm = await openOrm();
  const runs = { count: 0 };
  const signIn: Interceptor = (next) => (request) => {
    const user = request.header.get("x-user");
    if (user) request.contextValues.set(principalKey, { id: user, roles: [] });
    return next(request);
  };
  const lendOnce = answerOnce(lending.method.lend, orm, async ({ value: title }, _context, keepReply) => {
    runs.count++;
    await inTransaction(orm, async (tx) => {
      const sql = "insert into loans (title) values (?) returning id";
      const [loan] = await tx.execute<{ id: number }[]>(sql, [title]);
      await before(title);
      if (keeps) await keepReply(tx, { value: `loan ${loan!.id} of ${title}` });
    });
  });
  const interceptors = [renderErrors(log), signIn, requireKey()];
  const transport = createRouterTransport((router) => router.service(lending, { lend: lendOnce }), {
    router: { interceptors },
  });
  const client = createClient(lending, transport);
  const lend = async (title: string, key: string | undefined, user = "ann") => {
    const headers = { "x-user": user, ...(key !== undefined && { "idempotency-key": key }) };
    return (await client.lend({ value: title }, { headers })).value;
  };
  const loans = async () => (await orm.em.execute<unknown[]>("select from loans")).length;
  return { orm, lend, loans, runs };
}

test("a repeat gets the first reply and does nothing", async () => {
  const { lend, loans } = await library();
  const first = await lend("Emma", "k1");
  expect(await lend("Emma", "k1")).toBe(first);
  expect(await loans()).toBe(1);
});

test("fifty calls at once with one key have one effect and one reply", async () => {
  const { lend, loans, runs } = await library();
  const replies = await Promise.all(Array.from({ length: 50 }, () => lend("Emma", "k1")));
  expect(new Set(replies).size).toBe(1);
  expect(await loans()).toBe(1);
  expect(runs.count).toBe(1);
});

test("calls in several processes have one effect: each answers the same, or that the other is in flight", async () => {
  const processes = await Promise.all([library(), library(), library()]);
  const answers = await Promise.allSettled(
    Array.from({ length: 30 }, (_, index) => processes[index % 3]!.lend("Emma", "k1")),
  );
  const replies = new Set<string>();
  for (const answer of answers) {
    if (answer.status === "fulfilled") replies.add(answer.value);
    else expect((answer.reason as ConnectError).code, String(answer.reason)).toBe(Code.Aborted);
  }
  expect(replies.size).toBe(1);
  expect(await processes[0]!.loans()).toBe(1);
});

test("a duplicate of a call that takes long in another process is told so", async () => {
  const kept = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const slow = await library();
  const other = await library();
  const holding = slow.orm.em.fork().transactional(async (tx) => {
    await tx.execute(
      "insert into stored_replies (user_id, route, key, fingerprint, reply) values ('ann', 'library.v1.Lending/Lend', 'k1', '', '')",
    );
    kept.resolve();
    await release.promise;
    throw new Error("the process dies");
  });
  await kept.promise;
  expect(await refusal(other.lend("Emma", "k1"))).toMatchObject({
    code: Code.Aborted,
    reason: "IDEMPOTENCY_KEY_IN_FLIGHT",
  });
  expect(await other.loans()).toBe(0);
  release.resolve();
  await expect(holding).rejects.toThrow("dies");
  expect(await other.lend("Emma", "k1")).toContain("Emma");
});

test("a call that fails has no effect, keeps no reply, and may be tried again with its key", async () => {
  let failing = true;
  const { lend, loans } = await library(async () => {
    if (failing) throw new Error("no");
  });
  expect((await refusal(lend("Emma", "k1"))).code).toBe(Code.Internal);
  expect(await loans()).toBe(0);
  failing = false;
  expect(await lend("Emma", "k1")).toContain("Emma");
  expect(await loans()).toBe(1);
});

test("a process that dies at the end of its transaction leaves neither the effect nor the reply", async () => {
  const next = await library();
  const dying = await library(async () => {
    // The database ends every transaction that is open, the one that holds this effect.
    await next.orm.em.fork().execute(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and state = 'idle in transaction'`,
    );
  });
  await refusal(dying.lend("Emma", "k1"));
  expect(await next.loans()).toBe(0);
  expect(await next.lend("Emma", "k1")).toContain("Emma");
  expect(await next.loans()).toBe(1);
});

test("the same key with another request is refused", async () => {
  const { lend, loans } = await library();
  await lend("Emma", "k1");
  expect(await refusal(lend("Persuasion", "k1"))).toEqual({
    code: Code.InvalidArgument,
    reason: "IDEMPOTENCY_KEY_REUSED",
    fields: ["Idempotency-Key"],
  });
  expect(await loans()).toBe(1);
});

test("another user's key is their own", async () => {
  const { lend, loans } = await library();
  expect(await lend("Emma", "k1", "bob")).not.toBe(await lend("Emma", "k1", "ann"));
  expect(await loans()).toBe(2);
});

test.each([
  ["missing", undefined, "IDEMPOTENCY_KEY_MISSING"],
  ["empty", "", "IDEMPOTENCY_KEY_MISSING"],
  ["of 256 characters", "k".repeat(256), "IDEMPOTENCY_KEY_INVALID"],
  ["with a space", "a b", "IDEMPOTENCY_KEY_INVALID"],
])("a key that is %s is refused", async (_what, key, reason) => {
  const { lend } = await library();
  expect(await refusal(lend("Emma", key))).toMatchObject({ code: Code.InvalidArgument, reason });
});

test("a key of 255 characters is one", async () => {
  const { lend } = await library();
  expect(await lend("Emma", "k".repeat(255))).toContain("Emma");
});

test("after 24 hours a key is new again, pruned or not", async () => {
  const { orm, lend, loans } = await library();
  await lend("Emma", "k1");
  await lend("Emma", "k2");
  await orm.em.execute(
    "update stored_replies set created_at = created_at - interval '24 hours' where key = 'k1'",
  );
  await lend("Persuasion", "k1");
  expect(await loans()).toBe(3);
  await orm.em.execute(
    "update stored_replies set created_at = created_at - interval '24 hours' where key = 'k2'",
  );
  await pruneReplies(orm);
  expect(await orm.em.execute("select key from stored_replies")).toEqual([{ key: "k1" }]);
});

test("a handler that forgets to keep its reply fails at its first call", async () => {
  const { lend } = await library(undefined, false);
  expect((await refusal(lend("Emma", "k1"))).code).toBe(Code.Internal);
});

test("a handler that ignores the keys its contract requires fails at its first call", async () => {
  const transport = createRouterTransport(
    (router) => router.service(lending, { lend: ({ value }) => ({ value }) }),
    { router: { interceptors: [renderErrors(log), requireKey()] } },
  );
  const call = createClient(lending, transport).lend(
    { value: "Emma" },
    { headers: { "idempotency-key": "k" } },
  );
  expect((await refusal(call)).code).toBe(Code.Internal);
});

test("a contract whose keys belong to nobody, or to a stream, is refused", () => {
  expect(keyedMethods(lending)).toHaveLength(1);
  expect(keyedMethods(lendingService(signedIn))).toEqual([]);
  const open = lendingService({ ...keyed, access: { rule: { case: "public", value: true } } });
  expect(() => keyedMethods(open)).toThrow("library.v1.Lending/Lend: a public method");
  expect(() => keyedMethods(lendingService({ ...keyed, ...signedIn }, true))).toThrow("a stream");
});
