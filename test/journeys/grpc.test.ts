/** Peers that are not ours: grpc-js, buf curl. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { beforeAll, expect, test } from "vitest";
import { LoginRequestSchema, LoginResponseSchema } from "#gen/shop/auth/v1/auth_pb.ts";
import {
  Order_Status,
  OrderSchema,
  PlaceOrderRequestSchema,
  WatchOrderRequestSchema,
} from "#gen/shop/order/v1/order_pb.ts";
import { theShop } from "../system/the-shop.ts";
import { Customer } from "./customer.ts";

const shop = theShop();
const root = resolve(import.meta.dirname, "../..");
const edge = new URL(shop.edgeUrl).host;
let customer: Customer;
let productId: string;
beforeAll(async () => {
  customer = await Customer.register(shop);
  productId = (await customer.get("/v1/products?pageSize=1")).body.products[0].id;
});

/** `buf curl` with its arguments; the reply as JSON. */
async function bufCurl(...args: string[]) {
  const buf = join(root, "node_modules/.bin/buf");
  const { stdout } = await promisify(execFile)(buf, ["curl", "--http2-prior-knowledge", ...args], {
    cwd: root,
  });
  return JSON.parse(stdout);
}

test.each(["grpc", "grpcweb", "connect"])(
  "buf curl over %s finds the schema by reflection and calls",
  async (protocol) => {
    const url = `${shop.edgeUrl}/shop.product.v1.ProductService/ListProducts`;
    const page = await bufCurl("--protocol", protocol, "-d", '{"page_size": 2}', url);
    expect(page.products).toHaveLength(2);
  },
);

test("buf curl orders at the edge", async () => {
  const data = JSON.stringify({ items: [{ productId, quantity: 1 }], paymentToken: "tok_visa" });
  const headers = ["-H", `authorization: Bearer ${customer.token}`, "-H", `idempotency-key: ${randomUUID()}`];
  const order = await bufCurl(
    "--protocol",
    "grpc",
    ...headers,
    "-d",
    data,
    `${shop.edgeUrl}/shop.order.v1.OrderService/PlaceOrder`,
  );
  expect((await customer.settledOrder(order.id)).status).toBe("CONFIRMED");
});

test("every service answers on its own port, by reflection, and says that it is healthy", async () => {
  for (const name of ["auth", "user", "product", "inventory", "order", "payment", "email"]) {
    const url = `http://127.0.0.1:${shop.servicePort(name)}/grpc.health.v1.Health/Check`;
    expect(await bufCurl("--protocol", "grpc", "-d", "{}", url), name).toEqual({ status: "SERVING" });
  }
});

function unary<I extends DescMessage, O extends DescMessage>(
  client: grpc.Client,
  path: string,
  [input, output]: [I, O],
  message: MessageInitShape<I>,
  metadata: Record<string, string> = {},
  options: grpc.CallOptions = {},
): Promise<MessageShape<O>> {
  return new Promise((done, fail) => {
    client.makeUnaryRequest(
      path,
      (value: MessageShape<I>) => Buffer.from(toBinary(input, value)),
      (bytes: Buffer) => fromBinary(output, bytes),
      create(input, message),
      metadataOf(metadata),
      options,
      (error, reply) => (error ? fail(error) : done(reply as MessageShape<O>)),
    );
  });
}

function metadataOf(entries: Record<string, string>): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
}

test("grpc-js signs in, orders and watches", async () => {
  const client = new grpc.Client(edge, grpc.credentials.createInsecure());
  try {
    const login = { email: "bob@example.com", password: "correct-horse-battery-staple" };
    const { accessToken } = await unary(
      client,
      "/shop.auth.v1.AuthService/Login",
      [LoginRequestSchema, LoginResponseSchema],
      login,
    );
    const authorization = `Bearer ${accessToken}`;
    const order = await unary(
      client,
      "/shop.order.v1.OrderService/PlaceOrder",
      [PlaceOrderRequestSchema, OrderSchema],
      { items: [{ productId, quantity: 1 }], paymentToken: "tok_visa" },
      { authorization, "idempotency-key": randomUUID() },
    );
    const stream = client.makeServerStreamRequest(
      "/shop.order.v1.OrderService/WatchOrder",
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => fromBinary(OrderSchema, bytes),
      Buffer.from(toBinary(WatchOrderRequestSchema, create(WatchOrderRequestSchema, { orderId: order.id }))),
      metadataOf({ authorization }),
    );
    const statuses: Order_Status[] = [];
    for await (const seen of stream) statuses.push(seen.status);
    expect(statuses.at(-1)).toBe(Order_Status.CONFIRMED);
  } finally {
    client.close();
  }
});

test("grpc-js gets codes and details it can read", async () => {
  const client = new grpc.Client(edge, grpc.credentials.createInsecure());
  try {
    const login = { email: "bob@example.com", password: "wrong-password" };
    const refused = unary(
      client,
      "/shop.auth.v1.AuthService/Login",
      [LoginRequestSchema, LoginResponseSchema],
      login,
    );
    const error = (await refused.catch((reason) => reason)) as grpc.ServiceError;
    expect(error.code).toBe(grpc.status.UNAUTHENTICATED);
    expect(error.metadata.get("grpc-status-details-bin")).toHaveLength(1);
  } finally {
    client.close();
  }
});

test("internal methods are not there for the outside, and services refuse strangers", async () => {
  const direct = new grpc.Client(
    `127.0.0.1:${shop.servicePort("payment")}`,
    grpc.credentials.createInsecure(),
  );
  const atEdge = new grpc.Client(edge, grpc.credentials.createInsecure());
  const call = (client: grpc.Client) =>
    unary(
      client,
      "/shop.payment.v1.PaymentService/Refund",
      [LoginRequestSchema, LoginResponseSchema],
      {},
    ).catch((reason) => reason.code);
  try {
    expect(await call(atEdge)).toBe(grpc.status.UNIMPLEMENTED);
    expect(await call(direct)).toBe(grpc.status.PERMISSION_DENIED);
  } finally {
    direct.close();
    atEdge.close();
  }
});
