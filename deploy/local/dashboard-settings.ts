/** What the dashboard cannot read from the contract: how to sign in, and which things have a timeline. */
import type { SystemInput } from "../../dashboard/config.ts";
import { password, users } from "./welcome.ts";

type Settings = Pick<SystemInput, "title" | "describedContract" | "coverage" | "signIn" | "timelines">;

export const dashboardSettings: Settings = {
  title: "Weft shop",
  describedContract: "gen/descriptors-with-comments.binpb",
  coverage: "gen/mesh/coverage.md",
  signIn: {
    method: "shop.auth.v1.AuthService/Login",
    accounts: Object.fromEntries(users.map((email) => [email, { email, password }])),
    tokenField: "accessToken",
  },
  timelines: [
    {
      name: "orders",
      title: "Orders",
      events: ["shop.order.v1.OrderPlaced", "shop.order.v1.OrderConfirmed", "shop.order.v1.OrderCancelled"],
      account: "admin@example.com",
      resource: { method: "shop.order.v1.OrderService/GetOrder", keyField: "orderId", stateField: "status" },
      steps: {
        method: "shop.order.v1.OrderService/GetOrderTimeline",
        keyField: "orderId",
        listField: "steps",
        nameField: "step",
        attemptField: "attempt",
        outcomeField: "outcome",
        reasonField: "reason",
        startedField: "startedAt",
        endedField: "endedAt",
        good: ["DONE", "SUPERSEDED"],
      },
    },
  ],
};
