/** The contract gate on changes of the shop's contract: whom it names, and that it is quiet on additions. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { judge, type Verdict } from "../../mesh/contracts/judge.ts";
import { asAnnotations, inWords } from "../../mesh/contracts/report.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
let before: FileDescriptorSet;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-gate-"));
  symlinkSync(join(root, "third_party"), join(folder, "third_party"));
  cpSync(join(root, "buf.yaml"), join(folder, "buf.yaml"));
  before = compile();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of the shop, what stands there, and what stands there after the change. */
type Edit = readonly [file: string, from: string | RegExp, to: string];

function compile(...edits: readonly Edit[]): FileDescriptorSet {
  rmSync(join(folder, "proto"), { recursive: true, force: true });
  cpSync(join(root, "proto"), join(folder, "proto"), { recursive: true });
  for (const [file, from, to] of edits) {
    const path = join(folder, "proto", file);
    const text = readFileSync(path, "utf8");
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`${file} has no ${from}`);
    writeFileSync(path, changed);
  }
  const image = execFileSync("buf", ["build", "proto", "-o", "-"], { cwd: folder, maxBuffer: 64 << 20 });
  return fromBinary(FileDescriptorSetSchema, image);
}

function changed(edits: readonly Edit[], accepted: ReadonlyMap<string, string> = new Map()): Verdict {
  return judge({
    before,
    now: compile(...edits),
    ours: (file) => /^(shop|weft)\//.test(file),
    root,
    consumers: "test/contract/consumers",
    accepted,
  });
}

const namesOf = ({ changes }: Verdict) =>
  [...new Set(changes.flatMap(({ hits }) => [...hits.consumers.keys()]))].sort();
const idsOf = ({ changes }: Verdict) => changes.map(({ change }) => change.id).sort();

const inventory = "shop/inventory/v1/inventory.proto";
const payment = "shop/payment/v1/payment.proto";
const product = "shop/product/v1/product.proto";
const order = "shop/order/v1/order.proto";
const events = "shop/order/v1/events.proto";
const user = "shop/user/v1/user.proto";

interface Mutation {
  readonly what: string;
  readonly edits: readonly Edit[];
  /** Changes that are reported. */
  readonly ids: readonly string[];
  readonly consumers: readonly string[];
  readonly routes?: readonly string[];
  readonly events?: readonly string[];
}

const mutations: readonly Mutation[] = [
  {
    what: "a field is removed that a service and two programs outside read",
    edits: [
      [product, /\n {2}\/\/[^\n]*\n {2}google\.type\.Money price = 5;\n {2}\/\/ Pieces/, "\n  // Pieces"],
    ],
    ids: ["shop.product.v1.Product.price: removed"],
    consumers: ["backoffice", "order", "web"],
    routes: ["GET /v1/products", "GET /v1/products/{product_id}", "PATCH /v1/products/{product_id}"],
  },
  {
    what: "a field is removed that only a browser reads",
    edits: [[user, "string display_name = 3;", "reserved 3;"]],
    ids: ["shop.user.v1.User.display_name: removed"],
    consumers: ["backoffice", "web"],
  },
  {
    what: "a field is removed that nobody reads",
    edits: [[payment, "string decline_code = 5;", "reserved 5;"]],
    ids: ["shop.payment.v1.Payment.decline_code: removed"],
    consumers: [],
  },
  {
    what: "a field's type changes in an event",
    edits: [[events, /(message OrderConfirmed [\s\S]*?)string customer_id = 3/, "$1int64 customer_id = 3"]],
    ids: ["shop.order.v1.OrderConfirmed.customer_id: type"],
    consumers: ["email"],
    events: ["shop.order.v1.OrderConfirmed"],
  },
  {
    what: "a field is renamed",
    edits: [[inventory, "int32 available = 2;", "int32 on_hand = 2;"]],
    ids: ["shop.inventory.v1.Stock.available: renamed"],
    consumers: ["backoffice", "web"],
  },
  {
    what: "a field becomes optional",
    edits: [[inventory, "int32 available = 2;", "optional int32 available = 2;"]],
    ids: ["shop.inventory.v1.Stock.available: presence"],
    consumers: ["backoffice", "web"],
    routes: ["GET /v1/inventory/{product_id}", "POST /v1/inventory/{product_id}:adjust"],
  },
  {
    what: "a field is optional no more",
    edits: [[user, "optional string display_name = 1", "string display_name = 1"]],
    ids: ["shop.user.v1.UpdateMeRequest.display_name: presence"],
    consumers: ["web"],
    routes: ["PATCH /v1/users/me"],
  },
  {
    what: "a number is used again",
    edits: [[payment, "Status status = 3;", "bool settled = 3;"]],
    ids: ["shop.payment.v1.Payment.status: number reused"],
    consumers: ["order", "web"],
    routes: ["GET /v1/orders/{order_id}/payment"],
  },
  {
    what: "two fields change their numbers",
    edits: [
      [payment, "string order_id = 1;", "string order_id = 99;"],
      [payment, "string customer_id = 2;", "string customer_id = 1;"],
      [payment, "string order_id = 99;", "string order_id = 2;"],
    ],
    ids: ["shop.payment.v1.Payment.customer_id: number", "shop.payment.v1.Payment.order_id: number"],
    consumers: [],
  },
  {
    what: "an event's subject is altered",
    edits: [[events, '"shop.order.v1.order_confirmed"', '"shop.order.v1.confirmed"']],
    ids: ["shop.order.v1.OrderConfirmed: subject"],
    consumers: ["email"],
    events: ["shop.order.v1.OrderConfirmed"],
  },
  {
    what: "what orders an event changes",
    edits: [["shop/auth/v1/events.proto", 'key: "user_id"', 'key: "email"']],
    ids: ["shop.auth.v1.UserRegistered: key"],
    consumers: ["email", "user"],
    events: ["shop.auth.v1.UserRegistered"],
  },
  {
    what: "a reader is left out",
    edits: [["shop/auth/v1/events.proto", '{service: "user"},', ""]],
    ids: ["shop.auth.v1.UserRegistered: reader user"],
    consumers: ["user"],
  },
  {
    what: "an event is removed",
    edits: [["shop/inventory/v1/events.proto", /option \(weft[\s\S]*?\n {2}\};\n/, ""]],
    ids: ["shop.inventory.v1.StockChanged: event removed"],
    consumers: ["product"],
    events: ["shop.inventory.v1.StockChanged"],
  },
  {
    what: "a role is dropped",
    edits: [[user, /\n\s*or_roles: \["admin"\]/, ""]],
    ids: ["shop.user.v1.UserService/GetUser: role admin"],
    consumers: ["backoffice"],
    routes: ["GET /v1/users/{user_id}"],
  },
  {
    what: "a role is added",
    edits: [[inventory, 'any_of: ["admin"]', 'any_of: ["admin", "clerk"]']],
    ids: ["shop.inventory.v1.InventoryService/AdjustStock: role clerk"],
    consumers: [],
  },
  {
    what: "access is opened",
    edits: [[inventory, /access: \{\s*roles: \{\s*any_of: \["admin"\]\s*\}\s*\}/, "access: {public: true}"]],
    ids: ["shop.inventory.v1.InventoryService/AdjustStock: access"],
    consumers: [],
  },
  {
    what: "access is narrowed",
    edits: [[inventory, "access: {public: true}", "access: {signed_in: true}"]],
    ids: ["shop.inventory.v1.InventoryService/GetStock: access"],
    consumers: ["web"],
    routes: ["GET /v1/inventory/{product_id}"],
  },
  {
    what: "a caller is added",
    edits: [[inventory, /(rpc Commit[\s\S]*?)callers: \["order"\]/, '$1callers: ["order", "payment"]']],
    ids: ["shop.inventory.v1.InventoryService/Commit: caller payment"],
    consumers: [],
  },
  {
    what: "a caller is dropped",
    edits: [[inventory, /(rpc Commit[\s\S]*?)callers: \["order"\]/, '$1callers: ["payment"]']],
    ids: [
      "shop.inventory.v1.InventoryService/Commit: caller order",
      "shop.inventory.v1.InventoryService/Commit: caller payment",
    ],
    consumers: ["order"],
  },
  {
    what: "a deadline is shortened",
    edits: [[payment, /(rpc Charge[\s\S]*?)timeout: \{seconds: 5\}/, "$1timeout: {seconds: 4}"]],
    ids: ["shop.payment.v1.PaymentService/Charge: timeout"],
    consumers: ["order"],
  },
  {
    what: "a key is not asked for any more",
    edits: [[order, /\n\s*idempotency_key: IDEMPOTENCY_KEY_REQUIRED/, ""]],
    ids: ["shop.order.v1.OrderService/PlaceOrder: idempotency key"],
    consumers: ["web"],
    routes: ["POST /v1/orders"],
  },
  {
    what: "a call may not be repeated any more",
    edits: [[payment, /(rpc Charge[\s\S]*?)option idempotency_level = IDEMPOTENT;/, "$1"]],
    ids: ["shop.payment.v1.PaymentService/Charge: idempotency"],
    consumers: ["order"],
  },
  {
    what: "a limit is lowered",
    edits: [["shop/auth/v1/auth.proto", /(rpc Login[\s\S]*?)requests: 600/, "$1requests: 60"]],
    ids: ["shop.auth.v1.AuthService/Login: rate limit"],
    consumers: ["web"],
    routes: ["POST /v1/auth/login"],
  },
  {
    what: "a REST path changes",
    edits: [[inventory, '"/v1/inventory/{product_id}"', '"/v1/stock/{product_id}"']],
    ids: ["shop.inventory.v1.InventoryService/GetStock: route GET /v1/inventory/{product_id}"],
    consumers: ["web"],
    routes: ["GET /v1/inventory/{product_id}"],
  },
  {
    what: "the status of a success changes",
    edits: [[product, "rest: {success_status: 201}", "rest: {success_status: 202}"]],
    ids: ["shop.product.v1.ProductService/CreateProduct: status"],
    consumers: ["backoffice"],
    routes: ["POST /v1/products"],
  },
  {
    what: "an enum value is removed",
    edits: [[payment, /\n\s*\/\/[^\n]*\n {4}DECLINED = 3;/, ""]],
    ids: ["shop.payment.v1.Payment.Status.DECLINED: removed"],
    consumers: ["order", "web"],
  },
  {
    what: "a reason of errors is removed that somebody handles",
    edits: [["shop/inventory/v1/error_reason.proto", /\n\s*\/\/[^\n]*\n {2}OUT_OF_STOCK = 2;/, ""]],
    ids: ["shop.inventory.v1.ErrorReason.OUT_OF_STOCK: removed"],
    consumers: ["order"],
  },
  {
    what: "a method is removed",
    edits: [[payment, /rpc GetCharge[\s\S]*?\n {2}\}\n/, ""]],
    ids: ["shop.payment.v1.PaymentService/GetCharge: removed"],
    consumers: ["order"],
  },
  {
    what: "a reply becomes a stream",
    edits: [
      [
        order,
        "rpc GetOrder(GetOrderRequest) returns (Order)",
        "rpc GetOrder(GetOrderRequest) returns (stream Order)",
      ],
    ],
    ids: ["shop.order.v1.OrderService/GetOrder: streaming"],
    consumers: ["web"],
    routes: ["GET /v1/orders/{order_id}"],
  },
  {
    what: "a reply is another message",
    edits: [
      [
        order,
        "rpc GetOrder(GetOrderRequest) returns (Order)",
        "rpc GetOrder(GetOrderRequest) returns (OrderTimeline)",
      ],
    ],
    ids: ["shop.order.v1.OrderService/GetOrder: reply"],
    consumers: ["web"],
  },
  {
    what: "a field must be sent that one of two programs does not send",
    edits: [
      [
        product,
        "string description = 2 [(buf.validate.field).string.max_len",
        "string description = 2 [(buf.validate.field).required = true, (buf.validate.field).string.max_len",
      ],
    ],
    ids: ["shop.product.v1.CreateProductRequest.description: required"],
    consumers: [],
  },
  {
    what: "a new field must be sent",
    edits: [
      [
        inventory,
        "message ReserveRequest {",
        "message ReserveRequest {\n  string warehouse = 9 [(buf.validate.field).required = true];",
      ],
    ],
    ids: ["shop.inventory.v1.ReserveRequest.warehouse: required"],
    consumers: ["order"],
  },
  {
    what: "a rule takes less",
    edits: [[order, "(buf.validate.field).int32.lte = 10000", "(buf.validate.field).int32.lte = 100"]],
    ids: ["shop.order.v1.PlaceOrderItem.quantity: rules"],
    consumers: ["web"],
    routes: ["POST /v1/orders"],
  },
  {
    what: "a whole request must obey a new rule",
    edits: [
      [
        inventory,
        "message AdjustStockRequest {",
        'message AdjustStockRequest {\n  option (buf.validate.message).cel = {id: "adjust.reason" message: "say why" expression: "this.reason != \'\'"};',
      ],
    ],
    ids: ["shop.inventory.v1.AdjustStockRequest: rule adjust.reason"],
    consumers: ["backoffice"],
  },
  {
    what: "a secret is not kept out of logs any more",
    edits: [[payment, /,\s*\(weft\.policy\.v1\.field\)\.sensitive = true/, ""]],
    ids: ["shop.payment.v1.ChargeRequest.payment_token: sensitive"],
    consumers: [],
  },
];

test.each(mutations)("$what", ({ edits, ids, consumers, routes, events: told }) => {
  const verdict = changed(edits);
  expect(idsOf(verdict)).toEqual(ids.toSorted());
  expect(namesOf(verdict)).toEqual(consumers);
  expect(verdict.problems).toEqual([]);
  const hit = (of: "routes" | "events") =>
    [...new Set(verdict.changes.flatMap(({ hits }) => hits[of]))].sort();
  if (routes) expect(hit("routes")).toEqual(routes);
  if (told) expect(hit("events")).toEqual(told);
});

test("additions are quiet", () => {
  const verdict = changed([
    [payment, "message Payment {", "message Payment {\n  // New.\n  string note = 77;"],
    [payment, "VOIDED = 5;", "VOIDED = 5;\n    DISPUTED = 6;"],
    [inventory, "message GetStockRequest {", "message GetStockRequest {\n  bool exact = 9;"],
    [
      inventory,
      "service InventoryService {",
      "service InventoryService {\n  rpc Count(GetStockRequest) returns (Stock) { option (weft.policy.v1.method) = { access: {public: true} }; }",
    ],
    [
      inventory,
      'get: "/v1/inventory/{product_id}"',
      'get: "/v1/inventory/{product_id}" additional_bindings: {get: "/v1/stock/{product_id}"}',
    ],
    [events, '{service: "email"}', '{service: "email"}, {service: "user"}'],
    [events, "// An order is paid", "// Some other words: an order is paid"],
    [payment, /(rpc Charge[\s\S]*?)timeout: \{seconds: 5\}/, "$1timeout: {seconds: 6}"],
    [order, "(buf.validate.field).int32.lte = 10000", "(buf.validate.field).int32.lte = 20000"],
    [events, "message OrderPlaced {", "message OrderPacked {\n  string id = 1;\n}\nmessage OrderPlaced {"],
  ]);
  expect(verdict).toMatchObject({ changes: [], problems: [] });
});

test("who has given no example is named as well", () => {
  const verdict = judge({
    before,
    now: compile([payment, "Status status = 3;", "bool settled = 3;"]),
    ours: (file) => file.startsWith("shop/"),
    root,
    consumers: "test/contract/no-such-folder",
    accepted: new Map(),
  });
  expect(namesOf(verdict)).toEqual(["REST clients", "order"]);
  expect(inWords(verdict, "proto/")).toContain("order: relied on, no example");
});

test("a change that was decided on is not reported, and one that is gone is pointed out", () => {
  const id = "shop.payment.v1.Payment.decline_code: removed";
  const accepted = new Map([
    [id, "nobody reads it"],
    ["shop.payment.v1.Payment.note: removed", "gone since"],
  ]);
  const verdict = changed([[payment, "string decline_code = 5;", "reserved 5;"]], accepted);
  expect(verdict.changes).toEqual([]);
  expect(verdict.stale).toEqual(["shop.payment.v1.Payment.note: removed"]);
});

test("the report and the annotation name place, consumers, routes and events", () => {
  const verdict = changed([[payment, "Status status = 3;", "bool settled = 3;"]]);
  const line =
    readFileSync(join(folder, "proto", payment), "utf8")
      .split("\n")
      .indexOf("  bool settled = 3;") + 1;
  expect(line).toBeGreaterThan(0);
  const text = inWords(verdict, "proto/");
  expect(text).toContain(`proto/${payment}:${line}  shop.payment.v1.Payment.status: number reused`);
  expect(text).toContain('web: "shows what was paid"');
  expect(text).toContain("GET /v1/orders/{order_id}/payment");
  expect(asAnnotations(verdict, "proto/")).toMatch(
    new RegExp(`^::error file=proto/${payment},line=${line},title=[^:]+::.*Hits order, web\\.%0AGET `),
  );
});
