/** The real order service gets along with providers that answer from its examples, and asks for nothing else. */
import { randomUUID } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { Order_CancelReason, Order_Status, OrderService } from "#gen/shop/order/v1/order_pb.ts";
import { PaymentService } from "#gen/shop/payment/v1/payment_pb.ts";
import { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { order } from "../../services/order/service.ts";
import { type Served, serve } from "../system/serve.ts";
import { recorded } from "./recorded-provider.ts";
import { shopExamples, shopSurface } from "./shop-examples.ts";

const examples = shopExamples(shopSurface()).filter(({ consumer }) => consumer === "order");
const providers = recorded(examples);
const soon = { timeout: 60_000, interval: 50 };
let served: Served;
let database: pg.Client;

beforeAll(async () => {
  const contracts = [ProductService, InventoryService, PaymentService];
  served = await serve([...contracts.map((contract) => providers.definition(contract)), order]);
  database = new pg.Client({ connectionString: served.database("order") });
  await database.connect();
  // What happens for the first time connects, reads keys and compiles, which may take longer than a call may.
  providers.play(["a product that nobody sells is left out"]);
  await vi.waitFor(async () => {
    expect(reasonOf(await refusal(place(customer())))).toBe("PRODUCT_UNKNOWN");
    expect(await refusal(customer().getOrder({ orderId: uuidv7() }))).toMatchObject({ code: Code.NotFound });
  }, soon);
});
afterAll(async () => {
  await database?.end();
  await served?.stop();
});

const prices = "prices and names of what is ordered";
const [reserved, charged, committed] = ["sets pieces aside", "charges a card", "turns pieces into a sale"];
const givenBack = ["gives money back", "gives pieces back, also those that were never set aside"];

interface Course {
  readonly what: string;
  readonly quantity?: number;
  readonly paymentToken?: string;
  readonly plays: readonly string[];
  /** A provider's method that does not answer, until the order's step is past its deadline. */
  readonly down?: string;
  readonly ends: { status: Order_Status; cancelReason?: Order_CancelReason };
}
const { CONFIRMED, CANCELLED } = Order_Status;

const courses: readonly Course[] = [
  {
    what: "a purchase",
    plays: [prices, reserved!, charged!, committed!],
    ends: { status: CONFIRMED },
  },
  {
    what: "a declined card",
    paymentToken: "tok_declined",
    plays: [prices, reserved!, "learns that a card was declined", ...givenBack],
    ends: { status: CANCELLED, cancelReason: Order_CancelReason.PAYMENT_DECLINED },
  },
  {
    what: "too few pieces",
    quantity: 9999,
    plays: [prices, "learns that there are not enough pieces", ...givenBack],
    ends: { status: CANCELLED, cancelReason: Order_CancelReason.OUT_OF_STOCK },
  },
  {
    what: "a charge whose answer was lost",
    plays: [prices, reserved!, "asks by key what became of a charge", committed!],
    down: "Charge",
    ends: { status: CONFIRMED },
  },
  {
    what: "a charge that never arrived",
    plays: [prices, reserved!, "learns that a charge never arrived", ...givenBack],
    down: "Charge",
    ends: { status: CANCELLED, cancelReason: Order_CancelReason.TIMED_OUT },
  },
];

const customer = () => served.client(OrderService, { user: { id: uuidv7(), roles: ["customer"] } });
const place = (client: ReturnType<typeof customer>, quantity = 2, paymentToken = "tok_visa") =>
  client.placeOrder(
    { items: [{ productId: uuidv7(), quantity }], paymentToken },
    { headers: { "idempotency-key": randomUUID() } },
  );

const refusal = (call: Promise<unknown>) => call.then(() => undefined, ConnectError.from);

test.each(courses)("$what", async ({ quantity, paymentToken, plays, down, ends }) => {
  providers.play(plays);
  const client = customer();
  const { id: orderId } = await place(client, quantity, paymentToken);
  if (down) {
    await expect.poll(() => providers.heard.has(`unknown: ${down}`), soon).toBe(true);
    await database.query("update orders set step_deadline = now(), next_step_at = now() where id = $1", [
      orderId,
    ]);
  }
  await expect.poll(() => client.getOrder({ orderId }), soon).toMatchObject(ends);
  const asked = [...plays, ...(down ? [`unknown: ${down}`] : [])];
  expect([...providers.heard].sort()).toEqual(asked.toSorted());
});

test("a product that nobody sells", async () => {
  providers.play(["a product that nobody sells is left out"]);
  expect(reasonOf(await refusal(place(customer())))).toBe("PRODUCT_UNKNOWN");
  expect([...providers.heard]).toEqual(["a product that nobody sells is left out"]);
});

test("every example of order is played here", () => {
  const played = new Set([
    ...courses.flatMap(({ plays }) => plays),
    "a product that nobody sells is left out",
  ]);
  expect(examples.map(({ name }) => name).filter((name) => !played.has(name))).toEqual([]);
});
