import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** test/packages installs packages and has a configuration of its own. */
const notOurs = ["**/node_modules/**", ".weft/**", "third_party/**", "gen/**", "test/packages/**"];

/** What compares languages needs their tools: npm run polyglot sets WEFT_IMPL. */
const polyglot = process.env.WEFT_IMPL ? [] : ["test/polyglot/**"];

/** They need the whole system running. */
const journeys = [
  "test/journeys/**/*.test.ts",
  "test/chaos/*.test.ts",
  "test/browser/*.test.ts",
  "test/system/printed-calls.test.ts",
  "test/system/docs.test.ts",
];

/** They look at what is generated of services: nothing is there while a contract has none (`weft eject shop`). */
const needServices = [
  "edge/pages.test.ts",
  "mesh/codegen/weft/contract/contract.test.ts",
  "test/contract/policy.test.ts",
  "test/mesh/{image,kubeconform,observability,overlays,references,schema,tools}.test.ts",
];
const here = (path: string) => existsSync(join(import.meta.dirname, path));
const hasServices = here("gen/mesh/coverage.md");
/** Of the shop; other systems have none. */
const firstPurchase = ["test/journeys/first-purchase.ts"].filter(here);

export default defineConfig({
  test: {
    // Processes, not threads: tests send signals, and a crash takes one file with it.
    pool: "forks",
    // Most of them wait for processes and disks more than they compute.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Far above what any test takes: they end a hang, and do not fail a slow machine.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "parts",
          // The page is plain JavaScript, and so are its tests.
          include: ["**/*.test.ts", "dashboard/page/**/*.test.js"],
          exclude: [...notOurs, ...polyglot, ...journeys, ...(hasServices ? [] : needServices)],
          globalSetup: ["test/system/protos.ts", "test/system/databases.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "journeys",
          include: journeys,
          globalSetup: ["test/system/journeys.ts", ...firstPurchase],
          testTimeout: 180_000,
          hookTimeout: 360_000,
        },
      },
    ],
  },
});
