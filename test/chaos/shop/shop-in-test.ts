/** A running shop: started on its own ports and data, with a proxy on each link where a run wants them. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { system } from "#local/system.ts";
import { placesFor, processNames } from "#local/topology.ts";
import { pickPortOffset } from "../../system/runner-process.ts";
import { startShop } from "../../system/shop.ts";
import { FaultProxy } from "../faults/fault-proxy.ts";
import type { History } from "../harness/history.ts";
import type { Random } from "../harness/random.ts";
import {
  type Injected,
  type Link,
  linkName,
  type Setup,
  type SystemInTest,
} from "../harness/system-under-test.ts";
import { prepareCustomers } from "./customers.ts";
import { Databases } from "./databases.ts";
import { type Evidence, emitters, mailsAboutOrders, readDatabases, workUnderWay } from "./evidence.ts";
import { cannotLimitDisk, fillDisk, limitDisk } from "./fill-disk.ts";
import { loseStore } from "./lose-store.ts";
import { poisonEvents, subjectsOfEvents } from "./poison-events.ts";
import { readStreams } from "./read-streams.ts";
import { repeatEvents } from "./repeat-events.ts";
import type { RunnerSetup } from "./runner.ts";
import { Clocks, cannotSkewClocks } from "./skew-clock.ts";

const root = join(import.meta.dirname, "../../..");
const products = 3;
const stock = 1_000_000;
const customers = 16;
/** Services whose clock may go wrong. Those that check tokens refuse them meanwhile, and must recover. */
const skewable = ["order", "payment", "inventory", "email"];

/**
 * @param replicas processes of each service
 * @param languages services that do not run in TypeScript, each NAME=LANGUAGE
 */
export async function startShopInTest(
  setup: Setup,
  links: readonly Link[],
  replicas: ReadonlyMap<string, number>,
  languages: readonly string[],
): Promise<SystemInTest<Evidence>> {
  const { folder, kinds } = setup;
  const dataDir = join(folder, "data");
  const portOffset = await pickPortOffset(placesFor(system, 0, replicas).all.map(({ port }) => port));
  const places = placesFor(system, portOffset, replicas);
  const proxies = new Map<string, FaultProxy>();
  if (kinds.has("link"))
    for (const link of links) proxies.set(linkName(link), await FaultProxy.listen(places.port(link.to)));
  const clocks = kinds.has("clock") && !cannotSkewClocks() ? new Clocks(join(folder, "clocks")) : undefined;
  const giveBack = kinds.has("disk") && !cannotLimitDisk() ? limitDisk(join(dataDir, "postgres")) : undefined;
  const environment = Object.fromEntries(
    processNames(system).map((name) => [
      name,
      {
        WEFT_FAILPOINTS: setup.failpoints,
        ...(clocks && skewable.includes(name) ? clocks.environmentOf(name) : {}),
      },
    ]),
  );
  const runnerSetup: RunnerSetup = {
    links: Object.fromEntries([...proxies].map(([name, { port }]) => [name, port])),
    environment,
  };
  const running = await startShop({
    entry: "test/chaos/shop/runner.ts",
    portOffset,
    dataDir,
    replicas,
    languages,
    dashboard: false,
    env: { CHAOS_SETUP: JSON.stringify(runnerSetup) },
  }).catch((error: Error) => {
    giveBack?.();
    throw error;
  });
  const databases = new Databases(dataDir, places.port("postgres"));
  const bus = { dataDir, port: places.port("nats") };
  const subjects = subjectsOfEvents(join(root, system.descriptors));
  const seen = new Set<string>();
  let given: Record<string, number> = {};
  let stopped = false;

  const inject = async (kind: string, random: Random): Promise<Injected> => {
    const instant = (target: string, detail: string): Injected => ({ target, detail, heal: async () => {} });
    switch (kind) {
      case "lose-store": {
        const pid = running.pid("nats");
        if (pid === undefined) throw new Error("nats is not running");
        loseStore(dataDir, pid);
        return instant("nats", "killed, and its streams removed");
      }
      case "repeat":
        return instant(
          "nats",
          `${await repeatEvents(bus, databases, emitters, random)} events published again`,
        );
      case "poison": {
        const count = await poisonEvents(bus, subjects, random);
        return instant("nats", `${count} messages that nobody can read`);
      }
      case "disk": {
        const free = fillDisk(join(dataDir, "postgres"));
        return { target: "postgres", detail: "disk full", heal: async () => free() };
      }
      case "clock": {
        const target = random.pick(skewable);
        const seconds = random.pick([-90, -20, -3, 3, 20, 90]);
        clocks?.skew(target, seconds);
        return { target, detail: `clock ${seconds} s off`, heal: async () => clocks?.skew(target, 0) };
      }
      default:
        throw new Error(`the shop knows no fault "${kind}"`);
    }
  };

  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await databases.close();
    try {
      await running.stop();
    } finally {
      writeFileSync(join(folder, "runner.log"), running.output());
      giveBack?.();
      await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
    }
  };

  let history: History | undefined;
  return {
    pid: running.pid,
    proxies,
    inject,
    cannot: (kind) =>
      kind === "disk" ? cannotLimitDisk() : kind === "clock" ? cannotSkewClocks() : undefined,
    async prepare(random, history_) {
      history = history_;
      const options = { edgeUrl: running.edgeUrl, random, history, customers, products, stock };
      const { load, productIds } = await prepareCustomers(options);
      given = Object.fromEntries(productIds.map((id) => [id, stock]));
      return load;
    },
    underWay: () => workUnderWay(databases),
    async sample() {
      const rows = await databases.rows<{
        productId: string;
        available: number;
        reserved: number;
        sold: number;
      }>("inventory", `select product_id as "productId", available, reserved, sold from stock`);
      for (const { productId, available, reserved, sold } of rows) {
        const pieces = given[productId];
        if (pieces === undefined) continue;
        if (Math.min(available, reserved, sold) < 0) seen.add(`product ${productId} had negative stock`);
        if (available + reserved + sold !== pieces)
          seen.add(
            `product ${productId} had ${available + reserved + sold} pieces at a moment, not ${pieces}`,
          );
      }
    },
    async evidence() {
      const found = await readDatabases(databases);
      const mails = mailsAboutOrders(running.inbox());
      await stop();
      return {
        ...found,
        history: history?.entries ?? [],
        given,
        mails,
        streams: await readStreams(dataDir, root),
        seen: [...seen],
        finalAfter: undefined,
        quietAfter: undefined,
        unfinished: "",
      };
    },
    stop,
  };
}
