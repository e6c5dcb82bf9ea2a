/** Reading one's orders through the contract. */
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { refusal } from "../../test/system/refusal.ts";
import { type Market, startMarket } from "./testdata/market.ts";

let market: Market;
beforeAll(async () => {
  market = await startMarket();
});
afterAll(() => market?.stop());

/** A customer with so many orders; ids in the order in which they were placed. */
async function customerWith(count: number) {
  const productId = await market.stocked(100);
  const customer = market.customer();
  const ids: string[] = [];
  for (let placed = 0; placed < count; placed++)
    ids.push((await customer.place([{ productId, quantity: 1 }])).id);
  return { customer, ids };
}

test("orders come newest first, in pages, each exactly once", async () => {
  const { customer, ids } = await customerWith(7);
  const pages: string[][] = [];
  let pageToken = "";
  do {
    const page = await customer.client.listOrders({ pageSize: 3, pageToken });
    pages.push(page.orders.map(({ id }) => id));
    pageToken = page.nextPageToken;
    expect(pages.length, "pages go round in circles").toBeLessThan(5);
  } while (pageToken);
  expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
  expect(pages.flat()).toEqual(ids.toReversed());
});

test("an order that is placed between two pages shifts nothing", async () => {
  const { customer, ids } = await customerWith(4);
  const first = await customer.client.listOrders({ pageSize: 2 });
  await customer.place([{ productId: await market.stocked(1), quantity: 1 }]);
  const second = await customer.client.listOrders({ pageSize: 2, pageToken: first.nextPageToken });
  expect(second.orders.map(({ id }) => id)).toEqual(ids.slice(0, 2).toReversed());
  expect(second.nextPageToken).toBe("");
});

test("a page has 20 orders unless told otherwise", async () => {
  const { customer } = await customerWith(21);
  const page = await customer.client.listOrders({});
  expect(page.orders).toHaveLength(20);
  expect(page.nextPageToken).not.toBe("");
});

test("customers see their own orders only", async () => {
  const { customer, ids } = await customerWith(1);
  const other = market.customer();
  expect((await other.client.listOrders({})).orders).toEqual([]);
  const notFound = { code: Code.NotFound, reason: "ORDER_NOT_FOUND", fields: [] };
  const orderId = ids[0] as string;
  expect(await refusal(other.client.getOrder({ orderId }))).toEqual(notFound);
  expect(await refusal(customer.client.getOrder({ orderId: uuidv7() }))).toEqual(notFound);
  expect((await market.asAdmin().getOrder({ orderId })).customerId).toBe(customer.user.id);
});

test("nobody reads orders without signing in", async () => {
  const { ids } = await customerWith(1);
  const anybody = market.anybody();
  const [orderId] = ids as [string];
  for (const call of [
    () => anybody.listOrders({}),
    () => anybody.getOrder({ orderId }),
    () => anybody.getOrderTimeline({ orderId }),
    () => anybody.cancelOrder({ orderId }),
  ])
    expect(await refusal(call())).toMatchObject({ code: Code.Unauthenticated, reason: "TOKEN_MISSING" });
});

test.each([
  ["not a token", "nonsense"],
  ["base64 of something else", Buffer.from("1; drop table orders").toString("base64url")],
])("a page token that is %s is refused", async (_what, pageToken) => {
  expect(await refusal(market.customer().client.listOrders({ pageToken }))).toEqual({
    code: Code.InvalidArgument,
    reason: "PAGE_TOKEN_INVALID",
    fields: ["page_token"],
  });
});

test.each([-1, 101])("a page size of %i is refused", async (pageSize) => {
  expect((await refusal(market.customer().client.listOrders({ pageSize }))).fields).toEqual(["page_size"]);
});

test("an id that is none is refused with the field", async () => {
  expect((await refusal(market.customer().client.getOrder({ orderId: "42" }))).fields).toEqual(["order_id"]);
});
