/** The shop as the harness sees it. */
import { system } from "#local/system.ts";
import { processNames, replicaName } from "#local/topology.ts";
import type { Link, SystemUnderTest } from "../harness/system-under-test.ts";
import type { Evidence } from "./evidence.ts";
import { failpoints } from "./failpoints.ts";
import { invariants } from "./invariants.ts";
import { startShopInTest } from "./shop-in-test.ts";

const services = system.services.map(({ name }) => name);
const others = services.filter((name) => name !== "auth");

/** Every connection that the shop uses. */
const links: readonly Link[] = [
  ...services.map((from) => ({ from, to: "postgres" })),
  ...services.map((from) => ({ from, to: "nats" })),
  ...services.map((to) => ({ from: system.edge.name, to })),
  ...["product", "inventory", "payment"].map((to) => ({ from: "order", to })),
  // Everybody fetches the keys for users' tokens.
  ...others.map((from) => ({ from, to: "auth" })),
  { from: "email", to: "inbox" },
];

/**
 * @param replicas processes of each service
 * @param languages services that do not run in TypeScript, each NAME=LANGUAGE
 */
export function shopOf(replicas: number, languages: readonly string[] = []): SystemUnderTest<Evidence> {
  const more = services.flatMap((name) =>
    Array.from({ length: replicas - 1 }, (_, index) => replicaName(name, index + 2)),
  );
  return {
    name: replicas === 1 ? "shop" : `shop with ${replicas} processes of each service`,
    processes: [...processNames(system), ...more, "postgres", "nats"],
    links,
    failpoints,
    ownFaults: { "lose-store": 1, repeat: 1, poison: 1, disk: 1, clock: 1 },
    invariants,
    start: (setup) =>
      startShopInTest(setup, links, new Map(services.map((name) => [name, replicas])), languages),
  };
}

export const shop = shopOf(1);
