/** The dashboard of the shop as it runs, by its contract and by the command-line tool. */
import { execFile } from "node:child_process";
import http from "node:http";
import { promisify } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { beforeAll, expect, test } from "vitest";
import { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import {
  CopyCallRequest_Form as CopyForm,
  CallRequest_Via as Via,
} from "#gen/weft/dashboard/v1/explorer_pb.ts";
import { Process_State as State } from "#gen/weft/dashboard/v1/processes_pb.ts";
import { TopologyEdge_Breaker as Breaker } from "#gen/weft/dashboard/v1/topology_pb.ts";
import { Span_Kind as Kind } from "#gen/weft/dashboard/v1/traces_pb.ts";
import { commands } from "../../cli/commands.ts";
import { runCommandLine } from "../../cli/run-command-line.ts";
import { theShop } from "../system/the-shop.ts";
import { Customer, eventually, send } from "./customer.ts";

const shop = theShop();
const baseUrl = `http://127.0.0.1:${shop.servicePort("dashboard")}`;
const client = createClient(
  DashboardService,
  createConnectTransport({
    baseUrl,
    httpVersion: "1.1",
    interceptors: [
      (next) => (request) => {
        request.header.set("x-weft-dashboard", "1");
        return next(request);
      },
    ],
  }),
);

let customer: Customer;
let orderId: string;
const requestId = `dashboard-${crypto.randomUUID()}`;
beforeAll(async () => {
  customer = await Customer.register(shop);
  const { body } = await send(shop, "GET", "/v1/products?pageSize=1");
  const placed = await customer.post(
    "/v1/orders",
    { items: [{ productId: body.products[0].id, quantity: 1 }], paymentToken: "tok_visa" },
    { "x-request-id": requestId, "idempotency-key": crypto.randomUUID() },
  );
  orderId = placed.body.id;
  await customer.settledOrder(orderId);
});

/** Runs the tool in this process. */
async function weft(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (text: string) => out.push(text), err: (text: string) => err.push(text), env: {} };
  const [name, ...rest] = args;
  const code = await runCommandLine(commands, [name!, ...rest, "--data", shop.dataDir], io);
  return {
    code,
    out: out.join("\n"),
    err: err.join("\n"),
    objects: () => out.map((text) => JSON.parse(text)),
  };
}

/** Status of a request that says of itself what these headers say. */
function statusOf(method: string, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${baseUrl}${path}`, { method, headers }, (response) => {
      response.destroy();
      resolve(response.statusCode!);
    });
    request.on("error", reject).end(method === "POST" ? "{}" : undefined);
  });
}

/** Ids of the next events of the stream. */
async function ticks(count: number, lastEventId?: number): Promise<number[]> {
  const gone = new AbortController();
  const headers = lastEventId === undefined ? undefined : { "last-event-id": String(lastEventId) };
  const response = await fetch(`${baseUrl}/ticks`, { signal: gone.signal, headers });
  const seen: number[] = [];
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    seen.splice(0, seen.length, ...[...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)));
    if (seen.length >= count) break;
  }
  gone.abort();
  return seen.slice(0, count);
}

test("every process is there and ready, with what it uses", async () => {
  const { processes } = await eventually("all are ready", async () => {
    const listed = await client.listProcesses({});
    return listed.processes.every(({ state }) => state === State.READY) && listed;
  });
  const names = processes.map(({ name }) => name);
  expect(names.slice(0, 3)).toEqual(["edge", "auth", "email"]);
  expect(names.slice(-3)).toEqual(["nats", "postgres", "dashboard"]);
  for (const { name, pid, memoryBytes } of processes.filter(({ name }) => name !== "dashboard")) {
    expect(pid, name).toBe(shop.pid(name));
    expect(memoryBytes, name).toBeGreaterThan(1_000_000n);
  }
});

test("an order is one trace through edge, services, database, bus and mail, with its log lines", async () => {
  const trace = await eventually("the trace is whole", async () => {
    const { traces } = await client.listTraces({ id: requestId });
    const [found] = traces;
    if (!found) return false;
    const whole = await client.getTrace({ traceId: found.traceId });
    // The mailer's work on the last event is what ends last.
    const read = (service: string) =>
      whole.spans.some((span) => span.service === service && span.kind === Kind.CONSUMER);
    const all = ["edge", "order", "product", "inventory", "payment", "email"];
    const told = whole.spans.some(({ kind }) => kind === Kind.PRODUCER);
    return all.every((name) => found.services.includes(name)) && told && read("email") && whole;
  });
  expect(trace.summary).toMatchObject({ name: "POST /v1/orders", service: "edge", status: "201", requestId });
  expect(trace.spans[0]).toMatchObject({ depth: 0, orphan: false, service: "edge", kind: Kind.SERVER });
  const kinds = new Set(trace.spans.map(({ kind }) => kind));
  for (const kind of [Kind.SERVER, Kind.CLIENT, Kind.PRODUCER, Kind.CONSUMER]) expect(kinds).toContain(kind);
  expect(trace.spans.some(({ attributes }) => attributes?.["db.system.name"] === "postgresql")).toBe(true);
  const { traceId } = trace.summary!;
  const lines = await eventually("its lines are counted as they are listed", async () => {
    const { logLines } = await client.getTrace({ traceId });
    const listed = (await client.listLogs({ filter: { traceId } })).lines;
    return listed.length === logLines && listed;
  });
  expect(new Set(lines.map(({ process }) => process)).size).toBeGreaterThan(2);
});

test("its edges carry traffic, and those without any are there as the contract has them", async () => {
  const topology = await eventually("the edges light up", async () => {
    await customer.get(`/v1/orders/${orderId}`); // figures are those of the last seconds
    const found = await client.getTopology({});
    const traffic = (edge: string) => found.edges.find(({ id }) => id === edge)?.traffic;
    return traffic("edge>order")?.success === 1 && (traffic("outside>edge")?.rate ?? 0) > 0 && found;
  });
  const edge = (id: string) => topology.edges.find((each) => each.id === id);
  expect(edge("edge>order")?.traffic).toMatchObject({ success: 1 });
  expect(edge("outside>edge")?.traffic?.rate).toBeGreaterThan(0);
  expect(edge("order>payment")?.parts.map(({ name }) => name)).toContain(
    "shop.payment.v1.PaymentService/Charge",
  );
  expect(edge("order~email")?.inContract).toBe(true);
  expect(topology.edges.every(({ inContract }) => inContract)).toBe(true);
});

test("its timeline has every step, its events and its trace", async () => {
  const { timelines } = await client.listTimelines({ view: "orders", limit: 500 });
  expect(timelines.map(({ key }) => key)).toContain(orderId);
  const timeline = await eventually("its events are there", async () => {
    const found = await client.getTimeline({ view: "orders", key: orderId });
    return found.events.length > 1 && found.traceId !== "" && found;
  });
  expect(timeline.state).toBe("CONFIRMED");
  expect(timeline.steps.map(({ name }) => name)).toEqual(["PLACE", "RESERVE", "CHARGE", "COMMIT"]);
  expect(timeline.steps.some(({ failed }) => failed)).toBe(false);
  expect(timeline.events.map(({ name }) => name)).toEqual(["OrderPlaced", "OrderConfirmed"]);
  expect(timeline.traceId).toMatch(/^[0-9a-f]{32}$/);
});

test("its mail is in the inbox, as it was sent", async () => {
  const mails = await eventually("the mail has come", async () => {
    const listed = await client.listMails({ text: customer.email });
    return listed.mails.length > 0 && listed.mails;
  });
  const mail = await client.getMail({ position: mails[0]!.position });
  expect(mail.source).toContain(mail.messageId);
  expect(mail.text).toContain(orderId);
});

test("events are decoded, and what the contract calls sensitive is cut out", async () => {
  const { streams } = await client.listStreams({});
  expect(streams.map(({ name }) => name)).toContain("SHOP_AUTH_V1");
  // Other tests record events that nobody can read.
  const { events } = await client.listEvents({ stream: "SHOP_AUTH_V1", limit: 100 });
  const readable = events.find(({ payloadProblem }) => payloadProblem === "");
  expect(readable).toMatchObject({ type: "shop.auth.v1.UserRegistered" });
  expect(readable!.payload).toMatchObject({ email: "[redacted]" });
  await expect(client.listEvents({ stream: "NONE" })).rejects.toThrow("there is no stream");
});

test("any method can be called: as somebody, as a stream, and what fails says why", async () => {
  const parts = async (request: Parameters<typeof client.call>[0]) => {
    const got = [];
    for await (const { part } of client.call(request)) got.push(part);
    return got;
  };
  const list = await parts({ method: "shop.order.v1.OrderService/ListOrders", user: "alice@example.com" });
  expect(list.map(({ case: kind }) => kind)).toEqual(["begun", "message", "end"]);
  const signIn = await parts({
    method: "shop.auth.v1.AuthService/Login",
    messages: ['{"email":"alice@example.com","password":"correct-horse-battery-staple"}'],
  });
  expect(JSON.stringify(signIn.map(({ value }) => (value as { json?: string }).json))).not.toMatch(/eyJ/);
  const watched = await parts({
    method: "shop.order.v1.OrderService/WatchOrder",
    user: "admin@example.com",
    messages: [JSON.stringify({ orderId })],
  });
  expect(watched.at(-1)?.value).toMatchObject({ code: "OK" });
  const refused = await parts({ method: "shop.order.v1.OrderService/ListOrders" });
  expect(refused.at(-1)?.value).toMatchObject({ code: "UNAUTHENTICATED" });
  const letters = await parts({
    method: "weft.events.v1.DeadLetterService/ListDeadLetters",
    via: Via.DIRECT,
    service: "email",
  });
  expect(letters.at(-1)?.value).toMatchObject({ code: "OK" });
  const wrong = parts({ method: "shop.order.v1.OrderService/GetOrder", messages: ['{"orderID":1}'] });
  await expect(wrong).rejects.toThrow("messages[0]");
  await expect(parts({ method: "shop.payment.v1.PaymentService/Charge" })).rejects.toThrow(
    "only order may call",
  );
});

test("a form and a copy of a call obey the contract and hold no secret", async () => {
  const method = "shop.order.v1.OrderService/PlaceOrder";
  const form = await client.getMethodForm({ method });
  expect(form.requestSchema).toMatchObject({ $ref: "#/$defs/shop.order.v1.PlaceOrderRequest" });
  expect(JSON.parse(form.example)).toHaveProperty("items");
  for (const formOfCopy of [1, 2, 3, 4] as const) {
    const call = { method, messages: [form.example], user: "alice@example.com" };
    const { text } = await client.copyCall({ call, form: formOfCopy });
    expect(text).toContain(formOfCopy === 1 ? "/v1/orders" : "PlaceOrder".slice(1));
    expect(text).not.toMatch(/eyJ|correct-horse/);
  }
});

test("what is copied works where it is pasted, with the account's password in a variable", async () => {
  const { body } = await send(shop, "GET", "/v1/products?pageSize=1");
  const order = JSON.stringify({
    items: [{ productId: body.products[0].id, quantity: 1 }],
    paymentToken: "tok_visa",
  });
  const place = {
    method: "shop.order.v1.OrderService/PlaceOrder",
    messages: [order],
    user: "alice@example.com",
  };
  // Of a service in TypeScript, also where others are in another language: those speak gRPC only, and curl does not.
  const letters = {
    method: "weft.events.v1.DeadLetterService/ListDeadLetters",
    messages: ["{}"],
    service: "product",
  };
  const pasted = async (call: object, form: CopyForm) => {
    const { text } = await client.copyCall({ call, form });
    const typescript = form === CopyForm.TYPESCRIPT;
    const [program, ...args] = typescript
      ? [process.execPath, "--input-type=module-typescript", "-e"]
      : ["bash", "-c"];
    const env = {
      ...process.env,
      PASSWORD: "correct-horse-battery-staple",
      TOKEN: typescript ? customer.token : "",
    };
    return (await promisify(execFile)(program!, [...args, text], { env })).stdout;
  };
  const said = await Promise.all([
    pasted(place, CopyForm.CURL),
    pasted(place, CopyForm.TYPESCRIPT),
    pasted({ ...letters, via: Via.DIRECT }, CopyForm.CURL),
    pasted({ ...letters, via: Via.DIRECT }, CopyForm.BUF_CURL),
  ]);
  expect(JSON.parse(said[0]!)).toMatchObject({ status: "PENDING" });
  expect(said[1]).toContain("shop.order.v1.Order");
  for (const letter of said.slice(2)) expect(() => JSON.parse(letter)).not.toThrow();
});

test("a fault makes a method fail until it is cleared, and one of a method that is none is refused", async () => {
  // Nothing else in these tests calls it.
  const method = "shop.user.v1.UserService/UpdateMe";
  const callIt = async () => {
    let code = "";
    for await (const { part } of client.call({ method, user: "bob@example.com", messages: ["{}"] }))
      if (part.case === "end") code = part.value.code;
    return code;
  };
  const before = await callIt();
  expect(before).not.toBe("ABORTED");
  await client.setFault({ fault: { method, abort: { share: 1, code: "ABORTED" } } });
  await eventually("the fault is there", async () => (await callIt()) === "ABORTED");
  expect((await client.listFaults({})).faults.map((fault) => fault.method)).toContain(method);
  await client.clearFaults({ method });
  await eventually("the fault is gone", async () => (await callIt()) === before);
  await expect(client.setFault({ fault: { method: "a.v1.B/C", abort: { share: 1 } } })).rejects.toThrow(
    "no method",
  );
  await expect(client.setFault({ fault: { method } })).rejects.toThrow("neither abort nor delay");
});

test("a method that fails trips its caller's breaker, which is seen, and closes when the fault is over", async () => {
  // Nothing else in these tests calls it.
  const method = "shop.user.v1.UserService/UpdateMe";
  const callIt = async () => {
    let end = { code: "", message: "" };
    for await (const { part } of client.call({ method, user: "bob@example.com", messages: ["{}"] }))
      if (part.case === "end") end = part.value;
    return end;
  };
  const breaker = async () => {
    const { edges } = await client.getTopology({});
    return edges.find(({ id }) => id === "edge>user")?.parts.find(({ name }) => name === method)?.breaker;
  };
  await client.setFault({ fault: { method, abort: { share: 1 } } });
  await eventually("the breaker is open", async () => {
    const ends = await Promise.all(Array.from({ length: 25 }, callIt));
    return ends.some(({ message }) => message.includes("breaker")) || (await breaker()) === Breaker.OPEN;
  });
  await eventually("it is seen", async () => {
    await callIt();
    return (await breaker()) === Breaker.OPEN;
  });
  await client.clearFaults({ method });
  await eventually("it closes", async () => {
    await callIt();
    return (await breaker()) === Breaker.CLOSED;
  });
});

test("a stream that broke goes on where it was, without a gap", async () => {
  const first = await ticks(2);
  await ticks(2); // somebody else, meanwhile
  const resumed = await ticks(3, first.at(-1));
  expect([...first, ...resumed]).toEqual(Array.from({ length: 5 }, (_, index) => first[0]! + index));
});

test("other hosts, other origins and forms of other pages are refused; the page may load nothing from elsewhere", async () => {
  const method = "/weft.dashboard.v1.DashboardService/ClearFaults";
  const json = { "content-type": "application/json" };
  expect(await statusOf("GET", "/ticks", { host: "evil.example" })).toBe(421);
  expect(await statusOf("GET", "/", { origin: "http://evil.example" })).toBe(403);
  expect(await statusOf("POST", method, { ...json, origin: "http://evil.example" })).toBe(403);
  expect(await statusOf("POST", method, json)).toBe(403);
  expect(await statusOf("POST", method, { "content-type": "text/plain", "x-weft-dashboard": "1" })).toBe(415);
  expect(await statusOf("POST", method, { ...json, origin: baseUrl })).toBe(200);
  for (const path of ["/../config.ts", "/%2e%2e/config.ts", "/..%2fconfig.ts", "/vendor/../../package.json"])
    expect(await statusOf("GET", path, {}), path).toBe(404);
  const page = await fetch(baseUrl);
  expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'/);
  expect(page.headers.get("access-control-allow-origin")).toBeNull();
});

test("the tool tells the same, for people and as JSON", async () => {
  const status = await weft("status", "--json");
  expect(status.objects().map(({ name }) => name)).toContain("order");
  expect((await weft("status")).out).toMatch(/^NAME +STATE +PID/);
  expect((await weft("top", "--ticks", "1", "--json")).objects()[0]).toHaveProperty("processes");
  expect((await weft("logs", "order", "--lines", "2", "--json")).objects()).toHaveLength(2);
  const [trace] = (await weft("trace", "--id", requestId, "--json")).objects();
  const waterfall = await weft("trace", trace.traceId.slice(0, 12));
  expect((await weft("trace", requestId)).out).toContain("POST /v1/orders");
  expect(await weft("trace", "nobody")).toMatchObject({
    code: 1,
    err: 'weft trace: no trace matches "nobody"',
  });
  expect(waterfall.out).toContain("POST /v1/orders");
  expect(waterfall.out).toContain("━");
  const called = await weft("call", "ListProducts", '{"pageSize":1}');
  expect(called.code).toBe(0);
  expect(JSON.parse(called.out).products).toHaveLength(1);
  const refused = await weft("call", "OrderService/ListOrders");
  expect(refused).toMatchObject({ code: 1, out: "" });
  expect(refused.err).toContain("UNAUTHENTICATED");
  // On a busy machine a process may be late to say that it is ready.
  await eventually("nothing is wrong", async () => {
    const findings = (await weft("doctor", "--json")).objects();
    return findings.length > 0 && findings.every(({ result }) => result !== "failed");
  });
  const bench = await weft(
    "bench",
    "ProductService/ListProducts",
    "--seconds",
    "1",
    "--callers",
    "2",
    "--json",
  );
  expect(bench.objects()[0]).toMatchObject({ codes: { OK: expect.any(Number) } });
  expect(bench.objects()[0].cpuMsPerCall.product).toBeGreaterThan(0);
  expect((await weft("open")).out).toBe(baseUrl);
});

test("an event published by hand reaches its readers, and one that is none is refused", async () => {
  const userId = crypto.randomUUID();
  const json = JSON.stringify({ userId, email: `${userId}@example.com`, roles: ["customer"] });
  const emitted = await weft("emit", "shop.auth.v1.UserRegistered", json, "--id", userId, "--json");
  expect(emitted.objects()[0]).toMatchObject({ id: userId, subject: "shop.auth.v1.user_registered" });
  const again = await weft("emit", "shop.auth.v1.user_registered", json, "--id", userId);
  expect(again.out).toContain("was there already");
  const example = await weft("emit", "shop.auth.v1.user_registered", "--example");
  expect(JSON.parse(example.out)).toHaveProperty("userId");
  const form = await client.getEventForm({ event: "shop.auth.v1.UserRegistered" });
  expect(form).toMatchObject({
    subject: "shop.auth.v1.user_registered",
    stream: "SHOP_AUTH_V1",
    example: example.out,
  });
  expect(form.schema).toMatchObject({ $defs: { "shop.auth.v1.UserRegistered": { type: "object" } } });
  await expect(client.getEventForm({ event: "nobody.v1.Knows" })).rejects.toThrow("no event");
  const wrong = await weft("emit", "shop.auth.v1.UserRegistered", '{"userId": 1}');
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("user_id") });
});
