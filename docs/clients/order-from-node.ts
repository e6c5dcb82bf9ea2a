/**
 * The client of order.ts in Node, over gRPC:
 *
 *     node bootstrap.mjs run docs/clients/order-from-node.ts http://127.0.0.1:8080
 *
 * Prints the id of the order and each status it goes through.
 */
import { createGrpcTransport } from "@connectrpc/connect-node";
import { order, refusal } from "./order.ts";

const [edge = "http://127.0.0.1:8080"] = process.argv.slice(2);
try {
  const transport = createGrpcTransport({ baseUrl: edge });
  for await (const line of order(transport, "alice@example.com", "correct-horse-battery-staple"))
    console.log(line);
} catch (error) {
  console.error(refusal(error));
  process.exitCode = 1;
}
