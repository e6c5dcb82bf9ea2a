/** The real services answer each example as its consumer relies on, over gRPC, with PostgreSQL and a bus. */
import { createRegistry, fromBinary, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import type { Example } from "../../mesh/contracts/examples/example.ts";
import { auth } from "../../services/auth/service.ts";
import { email } from "../../services/email/service.ts";
import { inventory } from "../../services/inventory/service.ts";
import { order } from "../../services/order/service.ts";
import { payment } from "../../services/payment/service.ts";
import { product } from "../../services/product/service.ts";
import { user } from "../../services/user/service.ts";
import { type Served, serve } from "../system/serve.ts";
import { fillIn, missing } from "./fill-in.ts";
import { states, type Values } from "./provider-states.ts";
import { shopExamples, shopSurface } from "./shop-examples.ts";

const surface = shopSurface();
const examples = shopExamples(surface);
let shop: Served;

beforeAll(async () => {
  // Nothing listens there: mails stay in their queue.
  const env = { SMTP_URL: "smtp://127.0.0.1:1" };
  shop = await serve([auth, user, product, inventory, payment, email, order], { env });
});
afterAll(() => shop?.stop());

test.each(
  examples.map((example) => ({
    ...example,
    title: `${example.consumer} → ${example.provider}: ${example.name}`,
  })),
)("$title", async (example) => {
  let values: Values = {};
  for (const name of example.given) {
    const state = states[name];
    if (!state) throw new Error(`${example.file}:${example.line}: no state "${name}" in provider-states.ts`);
    values = { ...values, ...(await state(shop, values)) };
  }
  const told = example.of.kind === "event" ? await eventTold(example, example.of.type, values) : undefined;
  const answer = told ?? (await answered(example, values));
  expect(missing(fillIn(wanted(example), values), answer)).toEqual([]);
});

const wanted = ({ error, reads }: Example) => error ?? reads;

/** The reply as JSON, or the refusal as an example writes it. */
async function answered(
  { of, consumer, provider, roles, request }: Example,
  values: Values,
): Promise<unknown> {
  if (of.kind !== "rpc") throw new Error("not a call");
  const { rpc, route } = of;
  const contract = createRegistry(rpc.parent.file).getService(rpc.parent.typeName)!;
  const client = shop.client(contract, {
    caller: route === undefined ? consumer : "edge",
    user: roles && { id: values.customerId ?? uuidv7(), roles: [...roles] },
    at: provider,
  }) as unknown as Record<string, (request: unknown, options: object) => unknown>;
  const message = fromJson(rpc.input, fillIn(request, values) as JsonValue);
  try {
    const calling = client[rpc.localName]!(message, { headers: { "idempotency-key": uuidv7() } });
    const reply = rpc.methodKind === "unary" ? await calling : await first(calling as AsyncIterable<unknown>);
    return toJson(rpc.output, reply as never, { alwaysEmitImplicit: true });
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    const code = Code[error.code].replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
    return { code, reason: reasonOf(error), message: error.rawMessage };
  }
}

async function first(stream: AsyncIterable<unknown>): Promise<unknown> {
  for await (const message of stream) return message;
  throw new Error("the stream ended without a message");
}

/** What the provider told about the thing that was given, from its outbox. */
async function eventTold({ provider }: Example, type: string, values: Values): Promise<unknown> {
  const { desc, key } = surface.events.get(type)!;
  const keyField = desc.fields.find(({ name }) => name === key)!;
  const client = new pg.Client({ connectionString: shop.database(provider) });
  await client.connect();
  try {
    const sql = "select payload from outbox where type = $1 and key = $2";
    const { rows } = await client.query<{ payload: Buffer }>(sql, [type, values[keyField.localName]]);
    expect(rows, "events of this kind").not.toEqual([]);
    return toJson(desc, fromBinary(desc, rows[0]!.payload), { alwaysEmitImplicit: true });
  } finally {
    await client.end();
  }
}
