/**
 * The load: customers who register, order, look and cancel through REST and gRPC, as careful clients do: what
 * got no answer is asked again with the same key.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Completion, History } from "../harness/history.ts";
import type { Random } from "../harness/random.ts";
import type { Load } from "../harness/system-under-test.ts";
import { Account, type PlacedValue } from "./account.ts";

/** Tokens of the simulated provider and how often each is used. */
const tokens = { tok_visa: 70, tok_declined: 10, tok_flaky: 12, tok_timeout: 8 };
const password = "a-long-enough-password";
/** A customer gives up an order that nobody answers. */
const patienceMs = 120_000;
/** Longest wait for an order to settle before the next one, in milliseconds. */
const settleMs = 5_000;

export interface CustomersOptions {
  readonly edgeUrl: string;
  readonly random: Random;
  readonly history: History;
  readonly customers: number;
  readonly products: number;
  /** Pieces of each product. */
  readonly stock: number;
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
      await admin.mustStock(String(id), stock);
      return String(id);
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
  readonly #account: Account;
  readonly #random: Random;

  constructor(options: CustomersOptions, name: string, email: string, password_: string) {
    this.#options = options;
    this.#name = name;
    this.#random = options.random.stream(name);
    this.#account = new Account(options.edgeUrl, email, password_, this.#random);
  }

  /** Makes an account, and asks until there is an answer. */
  async register(email?: string): Promise<void> {
    await this.#untilAnswered(() =>
      this.#record("register", { email }, () => this.#account.register(this.#name, email)),
    );
  }

  /** Posts until it is answered with `status`. */
  async mustPost(path: string, body: unknown, status: number): Promise<Record<string, unknown>> {
    for (;;) {
      const reply = await this.#account.post(path, body).catch(() => undefined); // too late, or no sign-in yet
      if (reply?.status === status) return reply.body;
      if (reply && reply.status < 500)
        throw new Error(`${path} answered ${reply.status}: ${JSON.stringify(reply.body)}`);
      await pause(200);
    }
  }

  /** Adjusts a product's stock until it is known to have so many pieces: an adjustment whose answer was lost may count. */
  async mustStock(productId: string, pieces: number): Promise<void> {
    for (;;) {
      const there = await this.#account.stockOf(productId).catch(() => undefined);
      if (there === pieces) return;
      if (there === undefined) await pause(200);
      else
        await this.#account
          .post(`/v1/inventory/${productId}:adjust`, { delta: pieces - there })
          .catch(() => undefined);
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
    await this.#untilAnswered(() => this.#record("cancel", { orderId }, () => this.#account.cancel(orderId)));
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
    return this.#record("place", order, () => this.#account.place(order));
  }

  /** Looks until the order is settled or patience ends. @returns the status seen last */
  async #settled(orderId: string): Promise<string | undefined> {
    const end = Date.now() + settleMs;
    let status: string | undefined;
    for (let wait = 60; Date.now() < end; wait = Math.min(800, wait * 1.6)) {
      await pause(wait);
      const completion = await this.#record("read", { orderId }, () => this.#account.read(orderId));
      if (completion.type !== "ok") continue;
      ({ status } = completion.value as { status: string });
      if (status === "CONFIRMED" || status === "CANCELLED") break;
    }
    return status;
  }

  #record(f: string, value: unknown, work: () => Promise<Completion>): Promise<Completion> {
    return this.#options.history.record(this.#name, f, value, work);
  }
}
