import { inject } from "vitest";
import { attachShop, type RunningShop } from "./shop.ts";

/** The shop of this test run. Journeys share it: each brings its own customers and orders. */
export function theShop(): RunningShop {
  return attachShop(inject("shopReadyFile"));
}
