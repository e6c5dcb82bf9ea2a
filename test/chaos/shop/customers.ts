/**
 * The load: customers who register, order, look and cancel through REST and gRPC, as careful clients do: what
 * got no answer is asked again with the same key.
 */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Order_Status, OrderService } from "#gen/shop/order/v1/order_pb.ts";
import type { Completion, History } from "../harness/history.ts";
import type { Random } from "../harness/random.ts";
import type { Load } from "../harness/system-under-test.ts";

/** Tokens of the simulated provider and how often each is used. */
const tokens = { tok_visa: 70, tok_declined: 10, tok_flaky: 12, tok_timeout: 8 };
const password = "a-long-enough-password";
const replyTimeoutMs = 8_000;
/** A customer gives up an order that nobody answers. */
const patienceMs = 120_000;
/** Longest wait for an order to settle before the next one, in milliseconds. */
const settleMs = 5_000;
const tokenAgeMs = 200_000;

export interface CustomersOptions {
  readonly edgeUrl: string;
  readonly random: Random;
  readonly history: History;
  readonly customers: number;
  readonly products: number;
  /** Pieces of each product. */
  readonly stock: number;
}

/** An order as its customer knows it. */
export interface PlacedValue {
  readonly key: string;
  readonly token: string;
  readonly items: readonly { productId: string; quantity: number }[];
  /** In a completion that is ok. */
  readonly orderId?: string;
}

/** Products with their stock, and customers. No fault may come before this has returned. */
export async function prepareCustomers(
  options: CustomersOptions,
): Promise<{ load: Load; productIds: string[] }> {
  const { random, customers: count, products, stock } = options;
  const admin = new Customer(options, "admin", "admin@example.com", "correct-horse-battery-staple");
  const productIds = await Promise.all(
    Array.from({ length: products }, async (_, index) => {
      const price = { currencyCode: "USD", units: String(index + 3), nanos: 500_000_000 };
      const body = { name: `Chaos ${index}`, category: "test", price };
      const { id } = await admin.mustPost("/v1/products", body, 201);
      await admin.mustPost(`/v1/inventory/${id}:adjust`, { delta: stock }, 200);
      return id as string;
    }),
  );
  const customers = Array.from(
    { length: count },
    (_, index) => new Customer(options, `c${index}`, `${random.uuid()}@example.com`, password),
  );
  await Promise.all(customers.map((customer) => customer.register()));
  let answered = 0;
  const load: Load = {
    done: () => answered,
    async run(enough) {
      await Promise.all(
        customers.map(async (customer) => {
          while (!enough()) {
            await customer.shopOnce(productIds);
            answered += 1;
          }
        }),
      );
    },
  };
  return { load, productIds };
}

class Customer {
  readonly #options: CustomersOptions;
  readonly #name: string;
  readonly #email: string;
  readonly #password: string;
  readonly #random: Random;
  readonly #grpc;
  #token: { value: string; since: number } | undefined;

  constructor(options: CustomersOptions, name: string, email: string, password_: string) {
    this.#options = options;
    this.#name = name;
    this.#email = email;
    this.#password = password_;
    this.#random = options.random.stream(name);
    this.#grpc = createClient(
      OrderService,
      createGrpcTransport({ baseUrl: options.edgeUrl, defaultTimeoutMs: replyTimeoutMs }),
    );
  }

  /** Makes an account, and asks until there is an answer. */
  async register(email = this.#email): Promise<void> {
    const body = { email, password: this.#password, displayName: this.#name };
    await this.#untilAnswered(() =>
      this.#record("register", { email }, async () => {
        const reply = await this.#send("POST", "/v1/auth/register", body);
        // An earlier try without an answer may have had its effect.
        if (reply.status === 201 || reply.status === 409) return { type: "ok", value: { email } };
        return notOk(reply, { email });
      }),
    );
  }

  /** Posts until it is answered with `status`. */
  async mustPost(path: string, body: unknown, status: number): Promise<Record<string, unknown>> {
    for (;;) {
      const reply = await this.#send("POST", path, body, await this.#signIn());
      if (reply.status === status) return reply.body;
      if (reply.status < 500)
        throw new Error(`${path} answered ${reply.status}: ${JSON.stringify(reply.body)}`);
      await pause(200);
    }
  }

  /** One order from its key to its end, or to where the customer stops looking. */
  async shopOnce(productIds: readonly string[]): Promise<void> {
    const random = this.#random;
    if (random.chance(0.02)) await this.register(`${random.uuid()}@example.com`);
    const quantity = () => random.integer(1, 3);
    const chosen = random.shuffled(productIds).slice(0, random.integer(1, 2));
    const order: PlacedValue = {
      key: random.uuid(),
      token: random.weighted(tokens),
      items: chosen.map((productId) => ({ productId, quantity: quantity() })),
    };
    const twins = random.chance(0.1) ? 2 : 1;
    const cancels = random.weighted({ never: 86, soon: 8, settled: 6 });
    const answers = await Promise.all(Array.from({ length: twins }, () => this.#placeUntilAnswered(order)));
    const orderId = answers[0];
    if (orderId === undefined) return;
    if (random.chance(0.05)) await this.#place(order); // somebody pressed the button again
    if (cancels === "soon") {
      await pause(random.integer(0, 400));
      await this.#cancelUntilAnswered(orderId);
    }
    const settled = await this.#settled(orderId);
    if (cancels === "settled" && settled === "CONFIRMED") {
      await this.#cancelUntilAnswered(orderId);
      await this.#settled(orderId);
    }
  }

  async #placeUntilAnswered(order: PlacedValue): Promise<string | undefined> {
    const { type, value } = await this.#untilAnswered(() => this.#place(order));
    return type === "ok" ? (value as PlacedValue).orderId : undefined;
  }

  async #cancelUntilAnswered(orderId: string): Promise<void> {
    await this.#untilAnswered(() =>
      this.#record("cancel", { orderId }, async () => {
        const reply = await this.#send("POST", `/v1/orders/${orderId}:cancel`, {}, await this.#signIn());
        const value = { orderId, status: reply.body?.status };
        return reply.status === 200 ? { type: "ok", value } : notOk(reply, { orderId });
      }),
    );
  }

  async #untilAnswered(ask: () => Promise<Completion>): Promise<Completion> {
    const end = Date.now() + patienceMs;
    for (let wait = 50; ; wait = Math.min(1_000, wait * 2)) {
      const completion = await ask();
      if (completion.type === "ok" || (completion.type === "fail" && completion.error !== "later"))
        return completion;
      if (Date.now() > end) return completion;
      await pause(wait * (0.5 + this.#random.next()));
    }
  }

  async #place(order: PlacedValue): Promise<Completion> {
    return this.#record("place", order, () =>
      this.#random.chance(0.25) ? this.#placeByGrpc(order) : this.#placeByRest(order),
    );
  }

  async #placeByRest(order: PlacedValue): Promise<Completion> {
    const { key, items, token: paymentToken } = order;
    const token = await this.#signIn();
    const reply = await this.#send("POST", "/v1/orders", { items, paymentToken }, token, key);
    if (reply.status !== 201) return notOk(reply, order);
    return { type: "ok", value: { ...order, orderId: reply.body.id } };
  }

  async #placeByGrpc(order: PlacedValue): Promise<Completion> {
    const { key, items, token: paymentToken } = order;
    const headers = { authorization: `Bearer ${await this.#signIn()}`, "idempotency-key": key };
    try {
      const { id } = await this.#grpc.placeOrder({ items: [...items], paymentToken }, { headers });
      return { type: "ok", value: { ...order, orderId: id } };
    } catch (error) {
      const { code, rawMessage } = ConnectError.from(error);
      if (code === Code.Unauthenticated) this.#token = undefined;
      if (refusals.has(code)) return { type: "fail", value: order, error: `${Code[code]}: ${rawMessage}` };
      if (laters.has(code)) return { type: "fail", value: order, error: "later" };
      return { type: "info", value: order, error: `${Code[code]}: ${rawMessage}` };
    }
  }

  /** Looks until the order is settled or patience ends. @returns the status seen last */
  async #settled(orderId: string): Promise<string | undefined> {
    const end = Date.now() + settleMs;
    let status: string | undefined;
    for (let wait = 60; Date.now() < end; wait = Math.min(800, wait * 1.6)) {
      await pause(wait);
      const completion = await this.#record("read", { orderId }, () => this.#read(orderId));
      if (completion.type !== "ok") continue;
      ({ status } = completion.value as { status: string });
      if (status === "CONFIRMED" || status === "CANCELLED") break;
    }
    return status;
  }

  async #read(orderId: string): Promise<Completion> {
    if (this.#random.chance(0.25)) {
      const headers = { authorization: `Bearer ${await this.#signIn()}` };
      const order = await this.#grpc.getOrder({ orderId }, { headers });
      return { type: "ok", value: { orderId, status: statusNames.get(order.status) } };
    }
    const reply = await this.#send("GET", `/v1/orders/${orderId}`, undefined, await this.#signIn());
    if (reply.status !== 200) return notOk(reply, { orderId });
    return { type: "ok", value: { orderId, status: reply.body.status } };
  }

  /** An access token that is young enough. */
  async #signIn(): Promise<string> {
    if (this.#token && Date.now() - this.#token.since < tokenAgeMs) return this.#token.value;
    const body = { email: this.#email, password: this.#password };
    const reply = await this.#send("POST", "/v1/auth/login", body);
    if (reply.status !== 200) throw new Error(`login answered ${reply.status}`);
    this.#token = { value: reply.body.accessToken, since: Date.now() };
    return this.#token.value;
  }

  #record(f: string, value: unknown, work: () => Promise<Completion>): Promise<Completion> {
    return this.#options.history.record(this.#name, f, value, work);
  }

  async #send(method: string, path: string, body?: unknown, token?: string, key?: string): Promise<Reply> {
    const response = await fetch(new URL(path, this.#options.edgeUrl), {
      method,
      headers: {
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...(key && { "idempotency-key": key }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(replyTimeoutMs),
    });
    const text = await response.text();
    if (response.status === 401) this.#token = undefined;
    return { status: response.status, body: text ? JSON.parse(text) : undefined };
  }
}

const statusNames = new Map<number, string>(
  Object.entries(Order_Status).map(([name, number]) => [number, name]),
);

interface Reply {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the wire brings
  body: any;
}

/** Refused for good: the request is wrong, and nothing has happened. */
const refusals = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
  Code.FailedPrecondition,
]);
/** Refused for now: nothing has happened. */
const laters = new Set([Code.Unauthenticated, Code.ResourceExhausted]);

function notOk({ status, body }: Reply, value: unknown): Completion {
  const error = `${status} ${body?.error?.message ?? body?.message ?? ""}`;
  if (status === 401 || status === 429) return { type: "fail", value, error: "later" };
  if (status >= 400 && status < 499 && status !== 408 && status !== 409)
    return { type: "fail", value, error };
  return { type: "info", value, error };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
