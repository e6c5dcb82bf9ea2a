/** The events of the Go runtime over a real database and a real bus, in Go's own tests. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { freshBus, freshDatabase } from "../../system/fresh.ts";

const root = join(import.meta.dirname, "../../..");

test("events have one effect each, and what cannot be handled is kept for the operator", async () => {
  const [WEFT_TEST_DATABASE_URL, WEFT_TEST_NATS_URL] = await Promise.all([
    freshDatabase("library"),
    freshBus(),
  ]);
  const args = ["test", "-count=1", "-v", "-run", "^TestOverARealBus$", "./mesh/go/events"];
  const env = { ...process.env, WEFT_TEST_DATABASE_URL, WEFT_TEST_NATS_URL };
  const { stdout } = await promisify(execFile)("go", args, { cwd: root, env }).catch((error) => {
    throw new Error(`${error.stdout}${error.stderr}`);
  });
  expect(stdout).toContain("--- PASS: TestOverARealBus");
}, 300_000);
