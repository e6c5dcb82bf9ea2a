import { dashboardSettings } from "./dashboard-settings.ts";
import { goProgram } from "./implementations/go.ts";
import { pythonProgram } from "./implementations/python.ts";
import type { System } from "./topology.ts";
import { welcome } from "./welcome.ts";

/**
 * What runs on this machine, and where: the only list. Ports, environments, checks
 * and the text at the end of a start are made from it; a new service is one entry more.
 */
export const system: System = {
  services: [
    { name: "auth", port: 9001, entry: "services/auth/main.ts", database: true },
    { name: "user", port: 9002, entry: "services/user/main.ts", database: true },
    { name: "product", port: 9003, entry: "services/product/main.ts", database: true },
    {
      name: "inventory",
      port: 9004,
      entry: "services/inventory/main.ts",
      database: true,
      implementations: { go: goProgram("inventory-go", "services/inventory/go") },
    },
    { name: "order", port: 9005, entry: "services/order/main.ts", database: true },
    { name: "payment", port: 9006, entry: "services/payment/main.ts", database: true },
    {
      name: "email",
      port: 9007,
      entry: "services/email/main.ts",
      database: true,
      implementations: { python: pythonProgram("email_service", "services/email/python") },
      environment: ({ port }) => ({ SMTP_URL: `smtp://127.0.0.1:${port("inbox")}` }),
    },
  ],
  edge: { name: "edge", port: 8080, adminPort: 8081, entry: "edge/mesh.ts", database: false },
  dashboard: { port: 8090, entry: "dashboard/main.ts", settings: dashboardSettings },
  singleEntry: "deploy/local/single.ts",
  servers: { postgres: 15432, nats: 14222, inbox: 11025 },
  trustDomain: "weft.local",
  tokens: {
    issuer: "https://weft.local",
    audience: "weft",
    keys: {
      service: "auth",
      /** A Connect GET (the method has no side effects), whose JSON reply is the JWK set itself. */
      url: ({ url }) =>
        `${url("auth")}/shop.auth.v1.AuthService/GetJwks?connect=v1&encoding=json&message=%7B%7D`,
    },
  },
  descriptors: "gen/descriptors.binpb",
  welcome,
};
