/** An example that the contract does not keep is told with its file, its line, and what to write instead. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readExamples } from "../../mesh/contracts/examples/read-examples.ts";
import { withoutExample } from "../../mesh/contracts/judge.ts";
import { shopExamples, shopSurface } from "./shop-examples.ts";

const surface = shopSurface();
const RESERVE = "shop.inventory.v1.InventoryService/Reserve";

/** What is found in one file of examples. */
function problemsIn(text: string, path = "order/inventory.yaml") {
  const root = mkdtempSync(join(tmpdir(), "weft-examples-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "consumers", path, ".."), { recursive: true });
  writeFileSync(join(root, "consumers", path), text);
  return readExamples(root, "consumers", surface).problems;
}

test.each([
  [
    "an RPC that does not exist",
    `rpc: shop.inventory.v1.InventoryService/Book`,
    `serves shop.inventory.v1.InventoryService/`,
  ],
  [
    "an RPC of somebody else",
    "rpc: shop.payment.v1.PaymentService/Charge",
    'is served by "payment", not by "inventory"',
  ],
  ["an RPC it may not call", "rpc: shop.inventory.v1.InventoryService/AdjustStock", '"order" may not call'],
  [
    "a route that does not exist",
    "rest: GET /v1/stock",
    'route "GET /v1/stock" does not exist; inventory has GET /v1/inventory/{product_id}',
  ],
  ["an event that does not exist", "event: shop.order.v1.OrderLost", "shop.auth.v1.UserRegistered"],
  [
    "an event it does not read",
    "event: shop.inventory.v1.StockChanged",
    '"order" is no reader of shop.inventory.v1.StockChanged',
  ],
  [
    "a field that does not exist",
    `rpc: ${RESERVE}\n  request: {id: x}`,
    "request.id: shop.inventory.v1.ReserveRequest has no such field; it has orderId, items",
  ],
  [
    "a nested field that does not exist",
    `rpc: ${RESERVE}\n  request: {items: [{sku: x}]}`,
    "request.items[0].sku: shop.inventory.v1.ReserveItem has no such field",
  ],
  [
    "a value of another type",
    `rpc: ${RESERVE}\n  request: {items: [{quantity: many}]}`,
    'request.items[0].quantity: must be a int32, is "many"',
  ],
  [
    "one where a list belongs",
    `rpc: ${RESERVE}\n  request: {items: {quantity: 1}}`,
    "request.items: must be a list",
  ],
  [
    "a value of no enum",
    `rpc: ${RESERVE}\n  reply: {status: TAKEN}`,
    '"TAKEN" is no shop.inventory.v1.Reservation.Status; there are STATUS_UNSPECIFIED, RESERVED',
  ],
  [
    "a code of no gRPC",
    `rpc: ${RESERVE}\n  error: {code: OUT_OF_STOCK}`,
    '"OUT_OF_STOCK" is no code of gRPC',
  ],
  [
    "a reply and an error",
    `rpc: ${RESERVE}\n  reply: {}\n  error: {code: ABORTED}`,
    "has a reply and an error",
  ],
  ["nothing at all", "given: [a product]", "must have one of rpc, rest and event"],
  ["a word that means nothing", `rpc: ${RESERVE}\n  expect: {}`, "expect"],
])("%s", (_what, written, problem) => {
  const [found, ...more] = problemsIn(`# One.\n- name: something\n  ${written}\n`);
  expect(found).toMatchObject({ file: "consumers/order/inventory.yaml", line: 2 });
  expect(found!.problem).toContain(problem);
  expect(more).toEqual([]);
});

test("a file that is no YAML is one problem, at its line", () => {
  expect(problemsIn("- name: [\n")[0]).toMatchObject({ file: "consumers/order/inventory.yaml" });
});

test("a program outside may use REST only", () => {
  const [found] = problemsIn(`- name: x\n  rpc: ${RESERVE}\n`, "web/inventory.yaml");
  expect(found!.problem).toContain('"web" may not call');
  expect(problemsIn("- name: x\n  rest: GET /v1/inventory/{product_id}\n", "web/inventory.yaml")).toEqual([]);
});

test("every service of the shop has said what it relies on of others", () => {
  const own = /^(\S+) → \1: /;
  const shop = withoutExample(surface, shopExamples(surface)).filter(
    (each) => each.includes("shop.") && !own.test(each),
  );
  expect(shop).toEqual([]);
});
