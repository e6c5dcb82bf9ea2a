/** What can be seen of one order from outside: its trace span by span, its log lines, and the processes' numbers. */
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { type Collector, type ReceivedSpan, startCollector } from "../system/collector.ts";
import { type Shop, startShop } from "../system/shop.ts";
import { isStatement, labelOf, orphansOf, treeOf } from "../system/span-tree.ts";
import { Customer, eventually, send } from "./customer.ts";

let collector: Collector;
let shop: Shop;
let customer: Customer;
beforeAll(async () => {
  collector = await startCollector();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: "100" };
  shop = await startShop({ dashboard: false, env });
  customer = await Customer.register(shop);
});
afterAll(async () => {
  await shop?.stop();
  await collector?.stop();
});

const processes = ["edge", "auth", "user", "product", "inventory", "order", "payment", "email"];
const logOf = (name: string) => readFileSync(join(shop.dataDir, "logs", `${name}.log`), "utf8");
const metricsOf = async (name: string) => {
  const port = shop.servicePort(name === "edge" ? "edge-admin" : name);
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
};
const withRequestId = (id: string) =>
  collector.spans.filter(({ attributes }) => attributes["weft.request.id"] === id);
const aProduct = async (): Promise<string> =>
  (await customer.get("/v1/products?pageSize=1&category=coffee")).body.products[0].id;

/** Places an order under a request id of the test's own. */
async function order(requestId: string, paymentToken = "tok_visa"): Promise<string> {
  const { body, status } = await customer.post(
    "/v1/orders",
    { items: [{ productId: await aProduct(), quantity: 1 }], paymentToken },
    { "idempotency-key": randomUUID(), "x-request-id": requestId },
  );
  expect(status).toBe(201);
  return body.id;
}

/** The spans of a request once nothing more can come: checkout over, every event handled, the mail gone. */
async function traceOf(requestId: string): Promise<ReceivedSpan[]> {
  const whole = (spans: readonly ReceivedSpan[]) =>
    ["checkout", "mail"].every((end) => spans.some(({ name }) => name === end)) &&
    spans.filter(({ name }) => name.startsWith("create ")).every((event) => wasHandled(event, spans)) &&
    orphansOf(spans).length === 0;
  await eventually("the whole trace", async () => whole(withRequestId(requestId)));
  return withRequestId(requestId);
}

/** Whether what comes after an event was created is all there: it is published, read and handled. */
const wasHandled = (created: ReceivedSpan, spans: readonly ReceivedSpan[]): boolean =>
  ["publish ", "process ", "handle "].reduce(
    (parents, step) =>
      spans.filter(
        ({ name, parentSpanId }) =>
          name.startsWith(step) && parents.some(({ spanId }) => spanId === parentSpanId),
      ),
    [created],
  ).length > 0;

/** What the semantic conventions want of a span of this kind; url.path is left out on purpose. */
function conventionsFor({ kind, attributes }: ReceivedSpan): string[] {
  const rpc = ["rpc.system.name", "rpc.method", "rpc.response.status_code"];
  const messaging = ["system", "operation.name", "operation.type", "destination.name", "message.id"];
  const events = messaging.map((name) => `messaging.${name}`);
  if ("db.system.name" in attributes)
    return ["db.namespace", "db.operation.name", "db.query.summary", "server.address", "server.port"];
  if ("http.route" in attributes) return ["http.request.method", "http.response.status_code"];
  if (kind === kindOf.server) return rpc;
  if (kind === kindOf.client && "rpc.method" in attributes) return [...rpc, "server.address"];
  if (kind === kindOf.producer) return events;
  return kind === kindOf.consumer ? [...events, "messaging.consumer.group.name"] : [];
}

const kindOf = { server: 2, client: 3, producer: 4, consumer: 5 };

/** Names of the conventions, and ours; anything else is a slip, or somebody's data. */
const knownAttribute =
  /^(rpc\.(system\.name|method|response\.status_code)|http\.(request\.method|route|response\.status_code)|db\.(system\.name|namespace|operation\.name|collection\.name|query\.summary)|messaging\.(system|operation\.(name|type)|destination\.name|message\.(id|body\.size)|consumer\.group\.name)|server\.(address|port)|service\.peer\.name|network\.protocol\.name|weft\.(request\.id|protocol|delivery)|mail\.(id|kind|attempts)|order\.(id|status|attempts))$/;

const event = (subject: string, from: string, to: string, consumer: string, within: string[] = []) => [
  `${from} producer create ${subject}`,
  `  ${from} producer publish ${subject}`,
  `    ${to} consumer process ${subject}`,
  `      ${to} internal handle ${consumer}`,
  ...within.map((line) => `        ${line}`),
];
const call = (from: string, to: string, rpc: string, within: string[] = []) => [
  `${from} client ${rpc}`,
  `  ${to} server ${rpc}`,
  ...within.map((line) => `    ${line}`),
];
const below = (line: string, ...lines: string[][]) => [line, ...lines.flat().map((one) => `  ${one}`)];
const stockChanged = event(
  "shop.inventory.v1.stock_changed",
  "inventory",
  "product",
  "product__stock_changed",
);

test("an order is one trace from the edge to the mail, without a gap", async () => {
  const requestId = randomUUID();
  await order(requestId);
  const spans = await traceOf(requestId);
  expect(new Set(spans.map(({ traceId }) => traceId)).size, "one trace id").toBe(1);
  expect(new Set(spans.map(({ spanId }) => spanId)).size, "ids of their own").toBe(spans.length);
  expect(spans.filter(({ failed }) => failed).map(labelOf)).toEqual([]);

  expect(treeOf(spans.filter((span) => !isStatement(span)))).toEqual(
    below(
      "edge server POST /v1/orders",
      call("edge", "order", "shop.order.v1.OrderService/PlaceOrder", [
        ...call("order", "product", "shop.product.v1.ProductService/BatchGetProducts"),
        ...event("shop.order.v1.order_placed", "order", "email", "email__order_placed"),
        ...below(
          "order internal checkout",
          below(
            "order internal checkout RESERVE",
            call("order", "inventory", "shop.inventory.v1.InventoryService/Reserve", stockChanged),
          ),
          below(
            "order internal checkout CHARGE",
            call("order", "payment", "shop.payment.v1.PaymentService/Charge"),
          ),
          below(
            "order internal checkout COMMIT",
            call("order", "inventory", "shop.inventory.v1.InventoryService/Commit"),
          ),
          event("shop.order.v1.order_confirmed", "order", "email", "email__order_confirmed", [
            "email internal mail",
            "  email client smtp send",
          ]),
        ),
      ]),
    ),
  );

  const statements = (parent: string) => {
    const ids = spans.filter((span) => labelOf(span) === parent).map(({ spanId }) => spanId);
    return spans
      .filter((span) => isStatement(span) && ids.includes(span.parentSpanId))
      .map(({ name }) => name);
  };
  const within = (parent: string, ...names: string[]) =>
    expect(statements(parent), parent).toEqual(expect.arrayContaining(names));
  within(
    "order server shop.order.v1.OrderService/PlaceOrder",
    "BEGIN",
    "INSERT orders",
    "INSERT outbox",
    "COMMIT",
  );
  within("inventory server shop.inventory.v1.InventoryService/Reserve", "UPDATE stock", "INSERT outbox");
  within("payment server shop.payment.v1.PaymentService/Charge", "INSERT payments", "UPDATE payments");
  within("order internal checkout", "UPDATE orders", "INSERT order_steps", "INSERT outbox");
  within("email consumer process shop.order.v1.order_confirmed", "BEGIN", "INSERT inbox", "COMMIT");
  within("email internal handle email__order_confirmed", "INSERT emails");
  for (const span of spans.filter(isStatement)) {
    expect(span.kind).toBe(3);
    expect(span.attributes).toMatchObject({ "db.system.name": "postgresql", "db.query.summary": span.name });
  }

  for (const span of spans) {
    const names = Object.keys(span.attributes);
    expect(names, labelOf(span)).toEqual(expect.arrayContaining(conventionsFor(span)));
    expect(
      names.filter((name) => !knownAttribute.test(name)),
      labelOf(span),
    ).toEqual([]);
    const parent = spans.find(
      ({ spanId, service }) => spanId === span.parentSpanId && service === span.service,
    );
    if (parent)
      expect(span.start, `${labelOf(span)} within ${labelOf(parent)}`).toBeGreaterThanOrEqual(parent.start);
  }

  const [root] = spans.filter(({ parentSpanId }) => parentSpanId === "");
  expect(root?.attributes).toMatchObject({
    "http.request.method": "POST",
    "http.route": "/v1/orders",
    "http.response.status_code": 201,
  });
  for (const span of spans) {
    expect(span.start, labelOf(span)).toBeGreaterThanOrEqual(root!.start);
    expect(span.end).toBeGreaterThanOrEqual(span.start);
    expect(span.resource).toMatchObject({
      "service.name": span.service,
      "service.version": expect.any(String),
      "service.instance.id": expect.any(String),
    });
  }
});

test("every log line of a request has its ids, in every process that it came to", async () => {
  const requestId = randomUUID();
  await order(requestId);
  const [span] = await traceOf(requestId);
  const traceId = span?.traceId as string;
  const lines = processes.flatMap((name) =>
    logOf(name)
      .split("\n")
      .filter((line) => line.includes(requestId) || line.includes(traceId))
      .map((line) => JSON.parse(line)),
  );
  for (const line of lines) expect(line).toMatchObject({ requestId, traceId });
  expect(new Set(lines.map(({ service }) => service))).toEqual(
    new Set(["edge", "order", "product", "inventory", "payment", "email"]),
  );
});

test("a checkout that outlives its process goes on in the order's trace", async () => {
  const requestId = randomUUID();
  const id = await order(requestId, "tok_flaky"); // the provider fails at first: there is a pause to die in
  await shop.kill("order");
  await shop.running("order");
  expect((await customer.settledOrder(id)).status).toBe("CONFIRMED");
  await collector.until((spans) =>
    spans.some(({ name, attributes }) => name === "mail" && attributes["weft.request.id"] === requestId),
  );
  const spans = withRequestId(requestId);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(spans.map(labelOf)).toContain("order internal checkout COMMIT");
});

test("what the contract calls sensitive is in no log, span, number or error", async () => {
  const mark = randomUUID().replaceAll("-", "");
  const email = `ann-${mark}@example.com`;
  const password = `Pass-${mark}-word`;
  const paymentToken = `tok_${mark}`;
  const replies = [
    await send(shop, "POST", "/v1/auth/register", { body: { email, password, displayName: "Ann" } }),
    await send(shop, "POST", "/v1/auth/register", { body: { email, password, displayName: "Ann" } }),
    await send(shop, "POST", "/v1/auth/register", {
      body: { email: `${mark}@`, password: mark.slice(0, 4) },
    }),
    await send(shop, "POST", "/v1/auth/login", { body: { email, password: `${password}!` } }),
    await send(shop, "POST", "/v1/auth/login", { body: { email, password: { secret: password } } }),
    await send(shop, "POST", "/v1/auth/login", { body: { email, password: `${password}\u0000` } }),
    await send(shop, "POST", "/v1/auth/refresh", { body: { refreshToken: `refresh-${mark}` } }),
    await send(shop, "POST", "/v1/auth/logout", { token: mark, body: { refreshToken: `refresh-${mark}` } }),
  ];
  const signedIn = await Customer.signIn(shop, email, password);
  const secrets = [mark, signedIn.token, signedIn.refreshToken];
  replies.push(
    await signedIn.get(`/v1/users/me?email=${email}`),
    await signedIn.placeOrder([{ productId: await aProduct(), quantity: 1 }], paymentToken),
    await signedIn.placeOrder([{ productId: await aProduct(), quantity: -1 }], paymentToken),
  );
  const placed = replies.find(({ body }) => body?.status === "PENDING");
  if (placed) await signedIn.settledOrder(placed.body.id);
  await eventually("the mailer knows the address", async () =>
    logOf("email").includes("email__user_registered"),
  );

  // Who has signed in may see their own; everybody else, and every refusal, must not.
  const refusals = replies.filter(({ status }) => status >= 400).map(({ body }) => JSON.stringify(body));
  expect(refusals.length).toBeGreaterThanOrEqual(6);
  const spans = JSON.stringify(collector.spans, (_, value) =>
    typeof value === "bigint" ? `${value}` : value,
  );
  const numbers = await Promise.all(processes.map(metricsOf));
  for (const secret of secrets) {
    for (const refusal of refusals) expect(refusal).not.toContain(secret);
    for (const name of processes) expect(logOf(name), name).not.toContain(secret);
    expect(spans).not.toContain(secret);
    for (const page of numbers) expect(page).not.toContain(secret);
  }
  expect(shop.output()).not.toContain(mark);
});

test("every metric and label that alerts and dashboards ask for is there", async () => {
  await order(randomUUID());
  const pages = await Promise.all(processes.map(metricsOf));
  const exported = new Map<string, Set<string>>();
  for (const [, name, labels] of pages.join("\n").matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/gm)) {
    const known = exported.get(name as string) ?? new Set(["job", "instance"]);
    exported.set(name as string, known);
    for (const [, label] of (labels ?? "").matchAll(/(\w+)="/g)) known.add(label as string);
  }
  // There are none while nothing goes wrong; mesh/runtime/events/observe.test.ts sees them.
  exported.set("weft_dead_letters", new Set(["job", "instance", "consumer", "state"]));
  const recorded = new Set(recordedNames());
  const asked = expressions();
  expect(asked.length).toBeGreaterThan(100);
  for (const expression of asked) {
    for (const [name, labels] of selectorsIn(expression)) {
      if (name.includes(":")) {
        expect([...recorded], expression).toContain(name);
        continue;
      }
      expect([...exported.keys()], expression).toContain(name);
      expect([...(exported.get(name) ?? [])], `${name} in ${expression}`).toEqual(
        expect.arrayContaining(labels),
      );
    }
  }
});

test("names and labels are found in whatever PromQL they stand", () => {
  expect(
    selectorsIn('histogram_quantile(0.9, sum by (le, job) (rate(a_bucket{b=~"x}|y=1", c!="d"}[5m])))'),
  ).toEqual([["a_bucket", ["job", "b", "c"]]]);
  expect(selectorsIn("a_total / on (job) group_left (v) b:c:d > 0 and c_d offset 1h")).toEqual(
    ["a_total", "b:c:d", "c_d"].map((name) => [name, ["job", "v"]]),
  );
  expect(selectorsIn('{__name__=~"b:c_.*", d_e="f_g"}')).toEqual([]);
});

const observability = join(import.meta.dirname, "../../deploy/observability");

const filesIn = () => readdirSync(observability, { recursive: true, encoding: "utf8" });

interface Rule {
  readonly expr: string;
  readonly record?: string;
}

const allRules = (): Rule[] =>
  filesIn()
    .filter((file) => /rules\/[^/]*\.rules\.yaml$/.test(file))
    .flatMap((file) => parse(readFileSync(join(observability, file), "utf8")).groups)
    .flatMap(({ rules }: { rules: Rule[] }) => rules);
const recordedNames = () => allRules().flatMap(({ record }) => record ?? []);

/** Every PromQL expression of rules and dashboards, generated or written by hand. */
function expressions(): string[] {
  const rules = allRules().map(({ expr }) => expr);
  const panels = filesIn()
    .filter((file) => /dashboards\/[^/]*\.json$/.test(file))
    .flatMap((file) => JSON.parse(readFileSync(join(observability, file), "utf8")).panels)
    .flatMap(({ targets }) => targets.map(({ expr }: { expr: string }) => expr));
  return [...rules, ...panels];
}

/** Metrics of an expression with the labels that it selects or groups by; recorded ones have a colon in their names. */
function selectorsIn(expression: string): [string, string[]][] {
  const clause = /\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
  const grouped = [...expression.matchAll(clause)].flatMap(([, , list]) => list?.split(/, */) ?? []);
  const bare = expression.replaceAll(clause, "").replaceAll(/\[[^\]]*\]/g, "");
  // A name before a bracket is a function; of all others only those of metrics have an underscore or a colon.
  const namesAndSelectors = /([a-zA-Z_][\w:]*)?\s*(\{(?:"(?:\\.|[^"\\])*"|[^}"])*\}|\()?/g;
  return [...bare.matchAll(namesAndSelectors)]
    .filter(([, name, next]) => next !== "(" && /[_:]/.test(name ?? ""))
    .map(([, name, selector]) => [
      name as string,
      [
        ...grouped.filter((label) => label !== "" && label !== "le"),
        ...[...(selector ?? "").replaceAll(/"(?:\\.|[^"\\])*"/g, '""').matchAll(/(\w+)[=!]/g)].map(
          ([, label]) => label as string,
        ),
      ],
    ]);
}
