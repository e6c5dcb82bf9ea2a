import { defineConfig } from "vitest/config";

const notOurs = ["**/node_modules/**", ".weft/**", "third_party/**", "gen/**"];

export default defineConfig({
  test: {
    // Processes, not threads: tests send signals, and a crash takes one file with it.
    pool: "forks",
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: "parts",
          include: ["**/*.test.ts"],
          exclude: [...notOurs, "test/journeys/**"],
          globalSetup: ["test/system/databases.ts"],
        },
      },
    ],
  },
});
