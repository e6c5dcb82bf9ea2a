/**
 * How a customer of the load speaks with the shop: REST, and gRPC for a part of it, both at the edge. Each call ends
 * in a completion of the history: ok, fail (nothing has happened), or info (nobody knows).
 */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Order_Status, OrderService } from "#gen/shop/order/v1/order_pb.ts";
import type { Completion } from "../harness/history.ts";
import type { Random } from "../harness/random.ts";

const replyTimeoutMs = 8_000;
const tokenAgeMs = 200_000;
/** Part of the calls that go over gRPC. */
const byGrpc = 0.25;

/** An order as its customer knows it. */
export interface PlacedValue {
  readonly key: string;
  readonly token: string;
  readonly items: readonly { productId: string; quantity: number }[];
  /** In a completion that is ok. */
  readonly orderId?: string;
}

/** Somebody's account at the shop, used through the edge. */
export class Account {
  readonly #edgeUrl: string;
  readonly #email: string;
  readonly #password: string;
  readonly #random: Random;
  readonly #grpc;
  #token: { value: string; since: number } | undefined;

  constructor(edgeUrl: string, email: string, password: string, random: Random) {
    this.#edgeUrl = edgeUrl;
    this.#email = email;
    this.#password = password;
    this.#random = random;
    this.#grpc = createClient(
      OrderService,
      createGrpcTransport({ baseUrl: edgeUrl, defaultTimeoutMs: replyTimeoutMs }),
    );
  }

  /** Makes the account, or another one with the same password. */
  async register(displayName: string, email = this.#email): Promise<Completion> {
    const reply = await this.#send("POST", "/v1/auth/register", {
      email,
      password: this.#password,
      displayName,
    });
    // An earlier try without an answer may have had its effect.
    if (reply.status === 201 || reply.status === 409) return { type: "ok", value: { email } };
    return notOk(reply, { email });
  }

  /** Posts in the account's name. */
  async post(path: string, body: unknown): Promise<Reply> {
    return this.#send("POST", path, body, await this.#signIn());
  }

  /** Pieces of a product that can be ordered. @throws Error when there is no answer */
  async stockOf(productId: string): Promise<number> {
    const reply = await this.#send("GET", `/v1/inventory/${productId}`);
    if (reply.status === 404) return 0;
    if (reply.status !== 200) throw new Error(`the stock was answered with ${reply.status}`);
    return reply.body.available ?? 0;
  }

  place(order: PlacedValue): Promise<Completion> {
    return this.#random.chance(byGrpc) ? this.#placeByGrpc(order) : this.#placeByRest(order);
  }

  async cancel(orderId: string): Promise<Completion> {
    const reply = await this.post(`/v1/orders/${orderId}:cancel`, {});
    const value = { orderId, status: reply.body?.status };
    return reply.status === 200 ? { type: "ok", value } : notOk(reply, { orderId });
  }

  async read(orderId: string): Promise<Completion> {
    if (this.#random.chance(byGrpc)) {
      const headers = { authorization: `Bearer ${await this.#signIn()}` };
      const order = await this.#grpc.getOrder({ orderId }, { headers });
      return { type: "ok", value: { orderId, status: statusNames.get(order.status) } };
    }
    const reply = await this.#send("GET", `/v1/orders/${orderId}`, undefined, await this.#signIn());
    if (reply.status !== 200) return notOk(reply, { orderId });
    return { type: "ok", value: { orderId, status: reply.body.status } };
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

  /** An access token that is young enough. */
  async #signIn(): Promise<string> {
    if (this.#token && Date.now() - this.#token.since < tokenAgeMs) return this.#token.value;
    const body = { email: this.#email, password: this.#password };
    const reply = await this.#send("POST", "/v1/auth/login", body);
    if (reply.status !== 200) throw new Error(`login answered ${reply.status}`);
    this.#token = { value: reply.body.accessToken, since: Date.now() };
    return this.#token.value;
  }

  async #send(method: string, path: string, body?: unknown, token?: string, key?: string): Promise<Reply> {
    const response = await fetch(new URL(path, this.#edgeUrl), {
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

/** An answer over REST. */
export interface Reply {
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
