import type { TestProject } from "vitest/node";
import { startShop } from "./shop.ts";

/** Vitest's global set-up of the journeys: one shop, as `npm start` runs it, for all of them. */

declare module "vitest" {
  interface ProvidedContext {
    shopReadyFile: string;
  }
}

export default async function startJourneys(project: TestProject): Promise<() => Promise<void>> {
  const shop = await startShop();
  project.provide("shopReadyFile", shop.readyFile);
  return () => shop.stop();
}
