/**
 * A client in TypeScript of the shop's contract, the same in Node (order-from-node.ts) and in a browser
 * (order-from-browser.ts): they differ in the transport that they give it.
 */
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { ErrorInfoSchema } from "../../gen/ts/google/rpc/error_details_pb.ts";
import { AuthService } from "../../gen/ts/shop/auth/v1/auth_pb.ts";
import { Order_StatusSchema, OrderService } from "../../gen/ts/shop/order/v1/order_pb.ts";
import { ProductService } from "../../gen/ts/shop/product/v1/product_pb.ts";

/**
 * Signs in, orders one piece of the first product and watches what becomes of it.
 *
 * @param transport - to the edge
 * @returns the id of the order, then each status it goes through
 * @throws ConnectError for what a service refuses: {@link refusal} puts it into words
 */
export async function* order(transport: Transport, email: string, password: string): AsyncGenerator<string> {
  const auth = createClient(AuthService, transport);
  const products = createClient(ProductService, transport);
  const orders = createClient(OrderService, transport);

  // Every call has a deadline; the services behind the edge get what is left of it.
  const { accessToken } = await auth.login({ email, password }, { timeoutMs: 5_000 });
  const user = { authorization: `Bearer ${accessToken}` };
  const page = await products.listProducts({ pageSize: 1 }, { timeoutMs: 2_000 });

  const items = page.products.map(({ id }) => ({ productId: id, quantity: 1 }));
  // The same key with a second try gives the same order, not a second one.
  const headers = { ...user, "idempotency-key": crypto.randomUUID() };
  const placed = await orders.placeOrder({ items, paymentToken: "tok_visa" }, { headers, timeoutMs: 5_000 });
  yield placed.id;
  const watched = orders.watchOrder({ orderId: placed.id }, { headers: user, timeoutMs: 60_000 });
  for await (const { status } of watched) {
    yield Order_StatusSchema.value[status]?.name ?? `status ${status}`;
  }
}

/** Code and reason of a refusal, as "FailedPrecondition OUT_OF_STOCK: …". */
export function refusal(error: unknown): string {
  const refused = ConnectError.from(error);
  const [info] = refused.findDetails(ErrorInfoSchema);
  return `${Code[refused.code]} ${info?.reason ?? ""}: ${refused.rawMessage}`;
}
