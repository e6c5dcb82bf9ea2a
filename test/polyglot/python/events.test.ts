/** The events of the Python runtime over a real database and a real bus, in Python's own tests. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { freshBus, freshDatabase } from "../../system/fresh.ts";

const root = join(import.meta.dirname, "../../..");

test("events leave once and in order, and a stream that lost some gets them again", async () => {
  const [WEFT_TEST_DATABASE_URL, WEFT_TEST_NATS_URL] = await Promise.all([
    freshDatabase("library"),
    freshBus(),
  ]);
  const tests = "mesh/python/tests/test_events_over_a_real_bus.py";
  const args = ["-m", "pytest", "-c", "mesh/python/pytest.ini", tests];
  const env = { ...process.env, WEFT_TEST_DATABASE_URL, WEFT_TEST_NATS_URL };
  const python = promisify(execFile)(".weft/python/bin/python", args, { cwd: root, env });
  const { stdout } = await python.catch((error) => {
    throw new Error(`${error.stdout}${error.stderr}`);
  });
  expect(stdout).toMatch(/\d passed/);
  expect(stdout).not.toContain("skipped");
}, 300_000);
