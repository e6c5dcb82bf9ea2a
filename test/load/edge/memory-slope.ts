import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "#local/free-port.ts";
import { type Surroundings, startMeshEdge } from "./contestants.ts";
import { scenarios } from "./contract/books.ts";
import { residentBytes } from "./cpu-time.ts";
import { Heap } from "./heap.ts";
import { Load, requestBytes } from "./measure.ts";

const BATCH = 2_000;
const POINTS = 20;

interface Point {
  readonly seconds: number;
  /** Megabytes in use after a full collection. */
  readonly heap: number;
  readonly resident: number;
}

/**
 * Keeps the edge busy and prints over time how much of its heap is in use after a full collection, and its resident
 * memory; with the slopes of the second half: by then code and caches have the size they will keep.
 */
export async function memorySlope(surroundings: Surroundings, seconds: number): Promise<void> {
  const inspector = await freePort();
  const edge = await startMeshEdge(surroundings, [`--inspect=127.0.0.1:${inspector}`]);
  const heap = await Heap.of(inspector);
  const load = new Load();
  const points: Point[] = [];
  const began = performance.now();
  let requests = 0;
  console.log("           heap in use   resident");
  try {
    for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - began) / 1_000) {
      // A fresh token now and then: the cache of checked ones must not grow either.
      const authorization = await surroundings.identities.authorization();
      for (const scenario of scenarios)
        await load.cpuPerRequest(edge, requestBytes(scenario, authorization), BATCH);
      requests += BATCH * scenarios.length;
      if (elapsed < (points.length * seconds) / POINTS) continue;
      const point = {
        seconds: elapsed,
        heap: (await heap.usedBytes()) / 1e6,
        resident: residentBytes(edge.pid) / 1e6,
      };
      points.push(point);
      console.log(
        `${elapsed.toFixed(0).padStart(5)} s ${point.heap.toFixed(2).padStart(9)} MB ${point.resident.toFixed(1).padStart(8)} MB`,
      );
      await sleep(10);
    }
  } finally {
    heap.close();
    load.stop();
    await edge.stop();
  }
  const half = points.slice(Math.floor(points.length / 2));
  const megabytes = (of: (point: Point) => number): string => `${slope(half, of).toFixed(3)} MB a minute`;
  console.log(
    `${requests} requests; slopes of the second half: heap ${megabytes(({ heap }) => heap)}, ` +
      `resident ${megabytes(({ resident }) => resident)}`,
  );
}

/** Least squares, a minute. */
function slope(points: readonly Point[], of: (point: Point) => number): number {
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map(({ seconds }) => seconds));
  const y = mean(points.map(of));
  const above = points.reduce((sum, point) => sum + (point.seconds - x) * (of(point) - y), 0);
  return (60 * above) / points.reduce((sum, point) => sum + (point.seconds - x) ** 2, 0);
}
