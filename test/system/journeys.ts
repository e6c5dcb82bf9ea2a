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
  const env = { WEFT_CORS_ORIGINS: `http://127.0.0.1:${pagePort}`, WEFT_SHED_LATE_MS: "0" };
  const shop = await startShop({ env }); // sheds nothing: how busy the machine is, is not what they are about
  project.provide("shopReadyFile", shop.readyFile);
  project.provide("pagePort", pagePort);
  return () => shop.stop();
}
