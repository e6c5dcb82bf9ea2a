/** `npm run chaos`: one run against the shop, its report in .weft/chaos/SEED. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readLanguages } from "#local/options.ts";
import { system } from "#local/system.ts";
import { runCampaign } from "./harness/run-campaign.ts";
import { kindsOf } from "./harness/schedule.ts";
import { linkName, type SystemUnderTest } from "./harness/system-under-test.ts";
import { htmlReport } from "./report/html.ts";
import { textReport } from "./report/text.ts";
import type { Evidence } from "./shop/evidence.ts";
import { failpointsAt } from "./shop/failpoints.ts";
import { shopOf, shop as shopOfOne } from "./shop/shop.ts";

const kinds = kindsOf(shopOfOne as SystemUnderTest<never>);
const usage = `usage: npm run chaos -- [--seed N] [--orders N] [--count N] [--every MS] [--faults LIST] [--on LIST] [--lasting MS-MS] [--crashes N] [--at LIST] [--replicas N] [--impl NAME=LANGUAGE] [--out DIR]

  --seed N       repeats the run of that seed; drawn and printed if left out
  --orders N     checkouts (default 5000)
  --count N      faults; as many as fit into the checkouts if left out
  --every MS     mean time between two faults (default 2000)
  --faults LIST  of ${kinds.join(",")} (default: all)
  --on LIST      processes and links that kill, pause and link hit, such as payment,order→postgres (default: all)
  --lasting MS-MS
                 shortest and longest time of a pause, of a fault on a link, of full disks and wrong clocks
                 (default 500-4000)
  --crashes N    crashes at each failpoint (default 0)
  --at LIST      crashes at these failpoints only, such as checkout.charge,mail.send
  --replicas N   processes of each service (default 1)
  --impl NAME=LANGUAGE
                 a service in another language than TypeScript; may be repeated
  --out DIR      where history and reports go (default .weft/chaos/SEED)
  --keep         keeps the data and logs of the run as well`;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    orders: { type: "string", default: "5000" },
    count: { type: "string" },
    every: { type: "string", default: "2000" },
    faults: { type: "string", default: kinds.join() },
    on: { type: "string" },
    lasting: { type: "string" },
    crashes: { type: "string", default: "0" },
    at: { type: "string" },
    replicas: { type: "string", default: "1" },
    impl: { type: "string", multiple: true },
    out: { type: "string" },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

class UsageError extends Error {}

if (values.help) console.log(usage);
else
  process.exitCode = await run().catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  });

async function run(): Promise<number> {
  const seed = values.seed ?? String(Math.floor(Math.random() * 1e9));
  const chosen = values.faults.split(",").filter(Boolean);
  const unknown = chosen.filter((kind) => !kinds.includes(kind));
  if (unknown.length > 0) throw new UsageError(`no such fault: ${unknown.join(", ")}`);
  const languages = values.impl ?? (process.env.WEFT_IMPL ?? "").split(",").filter(Boolean);
  readLanguages(system, languages);
  const folder = mkdtempSync(join(tmpdir(), "weft-chaos-"));
  chmodSync(folder, 0o711);
  const out = values.out ?? join(".weft/chaos", seed);
  mkdirSync(out, { recursive: true });
  const enough = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      console.log("ending the run; once more to drop it");
      enough.abort();
    });
  const replicas = Math.max(1, count("replicas"));
  const shop = shopOf(replicas, languages);
  const on = values.on === undefined ? undefined : targets(shop, values.on.split(","));
  const failpoints = values.at === undefined ? shop.failpoints : failpointsAt(values.at.split(","));
  const result = await runCampaign(
    { ...shop, failpoints },
    {
      enough: enough.signal,
      seed,
      units: count("orders"),
      faults: values.count === undefined ? undefined : count("count"),
      every: count("every"),
      kinds: new Set(chosen),
      on,
      lasting: values.lasting === undefined ? undefined : range(values.lasting),
      crashes: count("crashes"),
      systemArguments: [
        ...(values.at === undefined ? [] : [` --at ${values.at}`]),
        ...(replicas > 1 ? [` --replicas ${replicas}`] : []),
        ...languages.map((each) => ` --impl ${each}`),
      ].join(""),
      folder,
      out,
      say: (line) => console.log(line),
    },
  );
  const text = textReport(result);
  writeFileSync(join(out, "report.txt"), text);
  writeFileSync(join(out, "report.html"), htmlReport(result));
  console.log(`\n${text}\nreport: ${join(out, "report.html")}`);
  if (values.keep || result.violations.length > 0) console.log(`data and logs: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
  return result.violations.length === 0 ? 0 : 1;
}

function targets(shop: SystemUnderTest<Evidence>, names: readonly string[]): ReadonlySet<string> {
  const there = [...shop.processes, ...shop.links.map(linkName)];
  const unknown = names.filter((name) => !there.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`--on: there is no ${unknown.join(", ")}; there are ${there.join(", ")}`);
  return new Set(names);
}

function range(text: string): [number, number] {
  const [, shortest, longest] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  if (shortest === undefined || Number(shortest) > Number(longest))
    throw new UsageError(`--lasting must be two numbers such as 500-4000, not ${text}`);
  return [Number(shortest), Number(longest)];
}

function count(name: "orders" | "count" | "every" | "crashes" | "replicas"): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new UsageError(`--${name} must be a whole number, not ${values[name]}`);
}
