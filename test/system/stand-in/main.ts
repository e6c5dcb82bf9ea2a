/** The runner with a system of two small services, so that it can be tested without the shop. */
import { runner } from "#local/runner.ts";

const entry = "test/system/stand-in/process.ts";

/** Program of a dashboard, for tests that want one. */
const dashboard = process.env.STAND_IN_DASHBOARD;

await runner({
  services: [
    {
      name: "shelf",
      port: 9001,
      entry,
      database: true,
      environment: ({ url }) => ({ LIBRARY_URL: url("edge") }),
    },
    { name: "reader", port: 9002, entry, database: true },
  ],
  edge: { name: "edge", port: 8080, entry, database: false },
  ...(dashboard && { dashboard: { port: 8090, entry: dashboard, settings: {} } }),
  singleEntry: entry,
  servers: { postgres: 15432, nats: 14222, inbox: 11025 },
  trustDomain: "library.local",
  tokens: {
    issuer: "https://library.local",
    audience: "library",
    keys: { service: "shelf", url: ({ url }) => `${url("shelf")}/keys` },
  },
  descriptors: "gen/descriptors.binpb",
  welcome: ({ url }) => `the library is open at ${url("edge")}`,
});
