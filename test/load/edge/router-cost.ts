import { parseTemplate } from "#edge/transcode/path-template.ts";
import { type Routable, Router } from "#edge/transcode/router.ts";
import { median } from "./measure.ts";

const SIZES = [10, 100, 1_000, 10_000];
const LOOKUPS = 200_000;
const ROUNDS = 7;

/** Prints what finding a route costs among 10 to 10,000 routes, in turns. */
export function routerCost(): void {
  const routers = SIZES.map((size) => ({ size, router: routerOf(size), samples: [] as number[] }));
  for (let round = -1; round < ROUNDS; round++) {
    for (const { router, size, samples } of routers) {
      const nanos = lookUp(router, size);
      if (round >= 0) samples.push(nanos);
    }
  }
  const base = median(routers[0]!.samples);
  console.log(`Router: ns to find a route, median of ${ROUNDS} rounds in turns.`);
  for (const { size, samples } of routers) {
    const nanos = median(samples);
    console.log(
      `  ${String(size).padStart(6)} routes ${nanos.toFixed(0).padStart(5)} ×${(nanos / base).toFixed(2)}`,
    );
  }
}

/** Routes like those of an API: collections under versions, with a resource and a verb each. */
function routerOf(size: number): Router<Routable> {
  const router = new Router<Routable>();
  for (let i = 0; i < size; i++) {
    const path = [`/v1/things${i >> 1}/{id}`, `/v1/things${i >> 1}/{id}/parts/{part}`][i % 2]!;
    router.add({ httpMethod: "GET", template: parseTemplate(path), headAllowed: true });
  }
  return router;
}

/** @returns CPU nanoseconds a look-up, over paths spread across all routes */
function lookUp(router: Router<Routable>, size: number): number {
  const paths = Array.from({ length: 64 }, (_, i) => {
    const thing = Math.floor((i * size) / 128);
    return i % 2 ? `/v1/things${thing}/abc-123/parts/7` : `/v1/things${thing}/abc-123`;
  });
  const started = process.cpuUsage();
  for (let i = 0; i < LOOKUPS; i++) {
    if (router.find("GET", paths[i & 63]!).kind !== "found") throw new Error("a route was not found");
  }
  const { user, system } = process.cpuUsage(started);
  return ((user + system) * 1_000) / LOOKUPS;
}
