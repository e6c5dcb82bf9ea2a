import type { Places } from "./topology.ts";

/** Accounts of the development seed. */
export const users = ["alice@example.com", "bob@example.com", "admin@example.com"];
export const password = "correct-horse-battery-staple";

/** What the reader sees once the shop runs: where it is, three calls to paste, what to try next. */
export function welcome({ url }: Places, folders: { inbox: string; logs: string }): string {
  const edge = url("edge");
  return `
  Edge        ${edge}        documentation ${edge}/docs
  Dashboard   ${url("dashboard")}
  Users       ${users.join(", ")}
  Password    ${password}

  Sign in, browse, order:

    TOKEN=$(curl -s ${edge}/v1/auth/login -H 'content-type: application/json' \\
      -d '{"email":"${users[0]}","password":"${password}"}' \\
      | sed 's/.*"accessToken": *"\\([^"]*\\)".*/\\1/')
    PRODUCT=$(curl -s '${edge}/v1/products?pageSize=1' | sed 's/.*"id": *"\\([^"]*\\)".*/\\1/')
    curl -s ${edge}/v1/orders -H "authorization: Bearer $TOKEN" -H "idempotency-key: $(date +%s%N)" \\
      -H 'content-type: application/json' \\
      -d "{\\"items\\":[{\\"productId\\":\\"$PRODUCT\\",\\"quantity\\":1}],\\"paymentToken\\":\\"tok_visa\\"}"

  The same service over gRPC:

    npx buf curl --protocol grpc --http2-prior-knowledge \\
      ${url("product")}/shop.product.v1.ProductService/ListProducts -d '{"page_size":2}'

  Next: open the dashboard and find the order's trace; pay with tok_declined and watch the order
  being cancelled; kill a service and order again. In another terminal: npm run weft -- top
  Mails are in ${folders.inbox}, logs in ${folders.logs}.

  Ctrl-C stops everything.
`;
}
