/** {{Thing}}Service through its contract: real gRPC, a database and a bus of its own. */
import { randomUUID } from "node:crypto";
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, {{import_test}} } from "vitest";
import { {{Thing}}Service } from "#gen/{{dir}}/{{file}}_pb.ts";
import { refusal } from "../../test/system/refusal.ts";
import { type Served, serve } from "../../test/system/serve.ts";
{{import_subject}}

{{skip}}
let served: Served;
beforeAll(async () => {
  served = await serve([{{subject}}]);
});
afterAll(() => served?.stop());

function someone(...roles: string[]) {
  const id = uuidv7();
  const client = served.client({{Thing}}Service, { user: { id, roles } });
  const create = (title: string, key: string = randomUUID()) =>
    client.create{{Thing}}({ title, text: "" }, { headers: { "Idempotency-Key": key } });
  return { id, client, create };
}

test("what is created can be read by its owner and by an admin, and by nobody else", async () => {
  const ann = someone("customer");
  const made = await ann.create("  The first ");
  expect(made).toMatchObject({ ownerId: ann.id, title: "The first", text: "" });
  const asked = { {{thing}}Id: made.id };
  expect(await ann.client.get{{Thing}}(asked)).toEqual(made);
  expect(await someone("admin").client.get{{Thing}}(asked)).toEqual(made);
  expect((await refusal(someone("customer").client.get{{Thing}}(asked))).code).toBe(Code.NotFound);
});

test("a repeat with the same key creates nothing new", async () => {
  const ann = someone("customer");
  const made = await ann.create("Once", "key");
  expect(await ann.create("Once", "key")).toEqual(made);
  expect(await refusal(ann.create("Twice", "key"))).toMatchObject({ reason: "IDEMPOTENCY_KEY_REUSED" });
  expect((await ann.client.list{{Things}}({})).{{things}}).toHaveLength(1);
});

test("lists show everything once, newest first", async () => {
  const ann = someone("customer");
  for (const title of ["1", "2", "3"]) await ann.create(title);
  const first = await ann.client.list{{Things}}({ pageSize: 2 });
  const rest = await ann.client.list{{Things}}({ pageSize: 2, pageToken: first.nextPageToken });
  expect([...first.{{things}}, ...rest.{{things}}].map(({ title }) => title)).toEqual(["3", "2", "1"]);
  expect(rest.nextPageToken).toBe("");
});

test("only its owner deletes it", async () => {
  const [ann, bob] = [someone("customer"), someone("customer")];
  const { id: {{thing}}Id } = await ann.create("Mine");
  const missing = { code: Code.NotFound, reason: "{{THING}}_NOT_FOUND" };
  expect(await refusal(bob.client.delete{{Thing}}({ {{thing}}Id }))).toMatchObject(missing);
  await ann.client.delete{{Thing}}({ {{thing}}Id });
  expect(await refusal(ann.client.get{{Thing}}({ {{thing}}Id }))).toMatchObject(missing);
});

test("events are counted", async () => {
  const ann = someone("customer");
  expect((await ann.client.get{{Thing}}Stats({})).created).toBe(0n);
  await Promise.all(["1", "2", "3"].map((title) => ann.create(title)));
  const created = async () => (await ann.client.get{{Thing}}Stats({})).created;
  await expect.poll(created, { timeout: 10_000, interval: 50 }).toBe(3n);
});

test("bad input names the field", async () => {
  const ann = someone("customer");
  expect(await refusal(ann.create("x".repeat(201)))).toMatchObject({ fields: ["title"] });
  expect(await refusal(ann.create(" "))).toMatchObject({ reason: "TITLE_BLANK", fields: ["title"] });
  expect(await refusal(ann.client.get{{Thing}}({ {{thing}}Id: "1" }))).toMatchObject({
    fields: ["{{thing_}}_id"],
  });
  expect(await refusal(ann.client.list{{Things}}({ pageToken: "x" }))).toMatchObject({ fields: ["page_token"] });
});

test("strangers are turned away", async () => {
  const anybody = served.client({{Thing}}Service);
  expect((await refusal(anybody.list{{Things}}({}))).code).toBe(Code.Unauthenticated);
  const other = served.client({{Thing}}Service, { caller: "stranger", user: { id: uuidv7(), roles: [] } });
  expect((await refusal(other.list{{Things}}({}))).code).toBe(Code.PermissionDenied);
});
