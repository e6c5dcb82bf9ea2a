/** The real readers get along with events that hold no more than their examples read. */
import {
  create,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import { StockChangedSchema } from "#gen/shop/inventory/v1/events_pb.ts";
import { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import { UserService } from "#gen/shop/user/v1/user_pb.ts";
import { type Post, startPost } from "../../services/email/testdata/post.ts";
import { product } from "../../services/product/service.ts";
import { user } from "../../services/user/service.ts";
import { producer } from "../system/producer.ts";
import { type Served, serve } from "../system/serve.ts";
import { fillIn } from "./fill-in.ts";
import type { Values } from "./provider-states.ts";
import { shopExamples, shopSurface } from "./shop-examples.ts";

const surface = shopSurface();
const examples = shopExamples(surface).filter(({ of }) => of.kind === "event");
const soon = { timeout: 60_000, interval: 50 };
const auth = producer(AuthService, [UserRegisteredSchema]);
const inventory = producer(InventoryService, [StockChangedSchema]);
let served: Served;
let post: Post;

beforeAll(async () => {
  served = await serve([auth.definition, inventory.definition, product, user]);
  post = await startPost();
});
afterAll(async () => {
  await post?.stop();
  await served?.stop();
});

/** The event of an example, with values of its kind in the place of "$any" and nothing in fields that are not read. */
function eventOf(consumer: string, type: string, values: Values) {
  const example = examples.find(
    (each) => each.consumer === consumer && each.of.kind === "event" && each.of.type === type,
  );
  if (!example) throw new Error(`${consumer} has no example of ${type}`);
  played.add(example.name);
  const { desc } = surface.events.get(type)!;
  const named = Object.entries(example.reads).map(([key, value]) => [key, values[key] ?? value]);
  return fromJson(desc, fillIn(someValues(desc, Object.fromEntries(named)), values) as JsonValue) as never;
}
const played = new Set<string>();

function someValues(desc: DescMessage, reads: object): object {
  const entries = Object.entries(reads).map(([key, value]) => {
    const field = desc.fields.find(({ jsonName }) => jsonName === key)!;
    return [key, value === "$any" ? someValue(field) : value];
  });
  return Object.fromEntries(entries);
}

function someValue(field: DescField): unknown {
  if (field.message?.typeName === "google.protobuf.Timestamp") return new Date().toISOString();
  if (field.message) return create(field.message);
  if (field.scalar === ScalarType.STRING) return field.name.endsWith("id") ? uuidv7() : "Ann";
  return field.scalar === ScalarType.INT64 ? "1" : 1;
}

test("user makes a profile", async () => {
  const values = { userId: uuidv7(), email: `${uuidv7()}@example.com` };
  await auth.record(UserRegisteredSchema, eventOf("user", "shop.auth.v1.UserRegistered", values));
  const me = served.client(UserService, { user: { id: values.userId, roles: ["customer"] } });
  const profile = expect.poll(() => me.getMe({}).catch(() => undefined), soon);
  await profile.toMatchObject({
    id: values.userId,
    email: values.email,
    displayName: "Ann",
    roles: ["customer"],
  });
});

test("product shows how many pieces there are", async () => {
  const admin = { id: uuidv7(), roles: ["admin"] };
  const price = { currencyCode: "USD", units: 1n, nanos: 0 };
  const fields = { name: "Thing", description: "", category: "things", price };
  const { id: productId } = await served.client(ProductService, { user: admin }).createProduct(fields);
  await inventory.record(
    StockChangedSchema,
    eventOf("product", "shop.inventory.v1.StockChanged", { productId }),
  );
  const available = async () => (await served.client(ProductService).getProduct({ productId })).available;
  await expect.poll(available, soon).toBe(5);
});

test.each([
  ["shop.order.v1.OrderConfirmed", "2 × House Espresso, 12.90 USD each: 25.80 USD"],
  ["shop.order.v1.OrderCancelled", "the payment was declined"],
])("email writes about %s", async (type, words) => {
  const [customerId, orderId] = [uuidv7(), uuidv7()];
  const address = `${customerId}@example.com`;
  const known = { userId: customerId, email: address };
  await post.auth.record(UserRegisteredSchema, eventOf("email", "shop.auth.v1.UserRegistered", known));
  for (const each of ["shop.order.v1.OrderPlaced", type])
    await post.order.record(surface.events.get(each)!.desc, eventOf("email", each, { orderId, customerId }));
  const [mail] = await post.sent(orderId);
  expect(mail).toMatchObject({ recipient: address, orderId });
  expect(post.mailsOf(orderId)[0]?.text).toContain(words);
});

test("every example of an event is played here", () => {
  expect(examples.map(({ name }) => name).filter((name) => !played.has(name))).toEqual([]);
});
