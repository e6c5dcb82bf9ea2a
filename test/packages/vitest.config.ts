import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** Not part of `npm test`: an installation takes its time. */
export default defineConfig({
  root: resolve(import.meta.dirname, "../.."),
  test: {
    pool: "forks",
    include: ["test/packages/*.test.ts"],
    globalSetup: ["test/system/protos.ts", "test/system/databases.ts"],
    testTimeout: 180_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
