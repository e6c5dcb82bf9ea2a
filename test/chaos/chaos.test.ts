/**
 * The short form of `npm run chaos`: a few hundred orders while everything is killed, stopped, cut off and
 * confused. WEFT_CHAOS_SEED takes another seed. This file has a shop of its own, since it breaks it.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCampaign } from "./harness/run-campaign.ts";
import { textReport } from "./report/text.ts";
import { shop } from "./shop/shop.ts";

/** With this seed every kind comes early, and the servers are among the killed. */
const seed = process.env.WEFT_CHAOS_SEED ?? "1181";
/** A full disk needs root and a mount: the long form has it. */
const kinds = ["kill", "pause", "link", "lose-store", "repeat", "poison", "clock"];
const faults = 18;

test(`everything breaks, nothing is lost (seed ${seed})`, { timeout: 900_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "weft-chaos-"));
  chmodSync(folder, 0o711);
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const languages = (process.env.WEFT_IMPL ?? "").split(",").filter(Boolean);
  const options = { seed, units: 60, faults, every: 1_500, kinds: new Set(kinds), crashes: 0.4, languages };
  const result = await runCampaign(shop, { ...options, folder, out: folder, say }).catch((error: Error) => {
    throw new Error(`${error.message}\n${lines.join("\n")}`, { cause: error });
  });
  console.log(textReport(result));
  expect(result.violations, `data and logs: ${folder}\n${lines.join("\n")}`).toEqual([]);
  expect(result.evidence.orders.length).toBeGreaterThanOrEqual(60);
  const impossible = result.impossible.map((line) => line.split(":")[0]);
  const injected = new Set(result.faults.filter(({ skipped }) => !skipped).map(({ kind }) => kind));
  expect([...injected, ...impossible].sort()).toEqual(kinds.toSorted());
  expect(Object.keys(result.failpoints.crashes).length, "failpoints that ended a process").toBeGreaterThan(0);
  rmSync(folder, { recursive: true, force: true });
});
