/** A customer of the shop who has nothing but HTTP. */
import { randomUUID } from "node:crypto";
import type { RunningShop } from "../system/shop.ts";

/** A JSON reply. */
export interface Reply {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the wire brings
  body: any;
}

export interface OrderLine {
  productId: string;
  quantity: number;
}

/** Statuses in which nothing happens to an order any more by itself. */
const settled = new Set(["CONFIRMED", "CANCELLED"]);

export async function send(
  shop: RunningShop,
  method: string,
  path: string,
  { token, body, headers = {} }: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const response = await fetch(new URL(path, shop.edgeUrl), {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
}

/** An access token lives for five minutes; after so many milliseconds the next request comes with a new one. */
const renewAfterMs = 200_000;

/** Somebody who is signed in. */
export class Customer {
  readonly shop: RunningShop;
  readonly email: string;
  readonly refreshToken: string;
  readonly #password: string;
  #token: string;
  #signedInAt = performance.now();

  private constructor(
    shop: RunningShop,
    { email, password }: { email: string; password: string },
    tokens: { accessToken: string; refreshToken: string },
  ) {
    this.shop = shop;
    this.email = email;
    this.refreshToken = tokens.refreshToken;
    this.#password = password;
    this.#token = tokens.accessToken;
  }

  get token(): string {
    return this.#token;
  }

  static async signIn(
    shop: RunningShop,
    email: string,
    password = "correct-horse-battery-staple",
  ): Promise<Customer> {
    const reply = await send(shop, "POST", "/v1/auth/login", { body: { email, password } });
    if (reply.status !== 200)
      throw new Error(`login answered ${reply.status}: ${JSON.stringify(reply.body)}`);
    return new Customer(shop, { email, password }, reply.body);
  }

  /** Registers and signs in. */
  static async register(shop: RunningShop): Promise<Customer> {
    const email = `${randomUUID()}@example.com`;
    const password = "a-long-enough-password";
    const reply = await send(shop, "POST", "/v1/auth/register", {
      body: { email, password, displayName: "Test" },
    });
    if (reply.status !== 201)
      throw new Error(`register answered ${reply.status}: ${JSON.stringify(reply.body)}`);
    return Customer.signIn(shop, email, password);
  }

  async get(path: string): Promise<Reply> {
    return send(this.shop, "GET", path, { token: await this.#fresh() });
  }

  async post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply> {
    return send(this.shop, "POST", path, { token: await this.#fresh(), body, headers });
  }

  async patch(path: string, body: unknown): Promise<Reply> {
    return send(this.shop, "PATCH", path, { token: await this.#fresh(), body });
  }

  async #fresh(): Promise<string> {
    if (performance.now() - this.#signedInAt > renewAfterMs) {
      this.#signedInAt = performance.now();
      this.#token = (await Customer.signIn(this.shop, this.email, this.#password)).token;
    }
    return this.#token;
  }

  /** Places an order, with a new key unless told. */
  placeOrder(items: OrderLine[], paymentToken = "tok_visa", key: string = randomUUID()): Promise<Reply> {
    return this.post("/v1/orders", { items, paymentToken }, { "idempotency-key": key });
  }

  /** The order once it is settled. @throws Error after `seconds` */
  async settledOrder(id: string, seconds = 60): Promise<Record<string, unknown> & { status: string }> {
    for (const end = Date.now() + seconds * 1_000; ; ) {
      const { body, status } = await this.get(`/v1/orders/${id}`).catch(() => ({
        body: undefined,
        status: 0,
      }));
      if (status === 200 && settled.has(body.status)) return body;
      if (Date.now() > end)
        throw new Error(`order ${id} is not settled after ${seconds} s: ${JSON.stringify(body)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Calls `look` until it gives something. @throws Error after `seconds` */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  seconds = 60,
): Promise<T> {
  for (const end = Date.now() + seconds * 1_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
