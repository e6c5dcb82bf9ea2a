import type { TestProject } from "vitest/node";
import { freePort } from "#local/free-port.ts";
import { startShop } from "./shop.ts";

/** Vitest's global set-up of the journeys: one shop, as `npm start` runs it, for all of them. */

declare module "vitest" {
  interface ProvidedContext {
    shopReadyFile: string;
    /** Free; pages there may call the edge. */
    pagePort: number;
  }
}

export default async function startJourneys(project: TestProject): Promise<() => Promise<void>> {
  const pagePort = await freePort();
  const shop = await startShop({ env: { WEFT_CORS_ORIGINS: `http://127.0.0.1:${pagePort}` } });
  project.provide("shopReadyFile", shop.readyFile);
  project.provide("pagePort", pagePort);
  return () => shop.stop();
}
