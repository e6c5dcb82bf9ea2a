import { setTimeout as sleep } from "node:timers/promises";
import { contestants, type Surroundings } from "./contestants.ts";
import { scenarios } from "./contract/books.ts";
import { residentBytes } from "./cpu-time.ts";
import { Load, requestBytes } from "./measure.ts";

const BATCH = 2_000;

/**
 * Keeps the edge busy and prints its resident memory over time, with the slope of the second half: by then
 * heap and caches have the size they will keep.
 */
export async function memorySlope(surroundings: Surroundings, seconds: number): Promise<void> {
  const edge = await contestants.find(({ name }) => name === "weft edge")!.start(surroundings);
  const load = new Load();
  const points: { seconds: number; megabytes: number }[] = [];
  const began = performance.now();
  const every = Math.max(1, seconds / 20);
  let requests = 0;
  try {
    for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - began) / 1_000) {
      // A fresh token now and then: the cache of checked ones must not grow either.
      const authorization = await surroundings.identities.authorization();
      for (const scenario of scenarios)
        await load.cpuPerRequest(edge, requestBytes(scenario, authorization), BATCH);
      requests += BATCH * scenarios.length;
      if (elapsed < points.length * every) continue;
      points.push({ seconds: elapsed, megabytes: residentBytes(edge.pid) / 1e6 });
      console.log(
        `${elapsed.toFixed(0).padStart(5)} s ${points.at(-1)!.megabytes.toFixed(1).padStart(7)} MB`,
      );
      await sleep(10);
    }
  } finally {
    load.stop();
    await edge.stop();
  }
  const half = points.slice(Math.floor(points.length / 2));
  console.log(`${requests} requests; slope of the second half: ${slope(half).toFixed(2)} MB a minute`);
}

/** Least squares, in megabytes a minute. */
function slope(points: readonly { seconds: number; megabytes: number }[]): number {
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map(({ seconds }) => seconds));
  const y = mean(points.map(({ megabytes }) => megabytes));
  const above = points.reduce((sum, point) => sum + (point.seconds - x) * (point.megabytes - y), 0);
  return (60 * above) / points.reduce((sum, point) => sum + (point.seconds - x) ** 2, 0);
}
