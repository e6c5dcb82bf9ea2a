import type { CampaignOptions, CampaignResult } from "../harness/run-campaign.ts";
import type { Evidence } from "../shop/evidence.ts";
import { invariants } from "../shop/invariants.ts";
import { figuresOf } from "./figures.ts";

/** Violations listed of each invariant; the rest is counted. */
const mostListed = 10;

/** The report for a terminal. */
export function textReport(result: CampaignResult<Evidence>): string {
  const { seed, options, violations, finalAfter, quietAfter, loadTook, impossible, failpoints } = result;
  const figures = figuresOf(result);
  const counts = (record: Readonly<Record<string, number>>) =>
    Object.entries(record)
      .map(([name, number]) => `${name} ${number}`)
      .join(", ") || "none";
  const lines = [
    `seed ${seed}, ${options.units} orders, a fault every ${options.every} ms: ${violations.length === 0 ? "every promise held" : `${violations.length} VIOLATIONS`}`,
    "",
    `orders      ${figures.acknowledged} acknowledged: ${counts(figures.orders)}`,
    `load        ${(loadTook / 1000).toFixed(1)} s, ${figures.ordersPerSecond.toFixed(1)} orders/s`,
    ...Object.entries(figures.operations).map(([f, types]) => `  ${f.padEnd(10)}${counts(types)}`),
    `faults      ${counts(figures.faults)}`,
    `final       ${ms(finalAfter)} after the last fault; nothing under way after ${ms(quietAfter)}`,
    `recovery    longest, ready again → next confirmed order: ${
      Object.entries(figures.recovery)
        .map(([name, time]) => `${name} ${time} ms`)
        .join(", ") || "no server was killed"
    }`,
    ...failpointLines(failpoints),
    ...impossible,
    "",
    ...invariants.flatMap(({ name }) => {
      const own = violations.filter(({ invariant }) => invariant === name);
      const listed = own.slice(0, mostListed).map(({ detail }) => `        ${detail}`);
      const more = own.length > mostListed ? [`        and ${own.length - mostListed} more`] : [];
      return [`  ${own.length === 0 ? "holds " : "BROKEN"}  ${name}`, ...listed, ...more];
    }),
    "",
    `repeat it: ${commandOf(seed, options)}`,
  ];
  return `${lines.join("\n")}\n`;
}

function commandOf(seed: string, options: CampaignOptions): string {
  const { units, faults, every, kinds, on, lasting, crashes, systemArguments = "" } = options;
  return [
    `npm run chaos -- --seed ${seed} --orders ${units}`,
    ...(faults === undefined ? [] : [`--count ${faults}`]),
    `--every ${every} --faults "${[...kinds].join()}"`,
    ...(on ? [`--on "${[...on].join()}"`] : []),
    ...(lasting ? [`--lasting ${lasting.join("-")}`] : []),
    `--crashes ${crashes}${systemArguments}`,
  ].join(" ");
}

function failpointLines({ passes, crashes, left }: CampaignResult<Evidence>["failpoints"]): string[] {
  const names = Object.keys({ ...passes, ...crashes }).sort();
  if (names.length === 0) return [];
  const width = Math.max(...names.map((name) => name.length)) + 2;
  return [
    `failpoints  passes, and crashes there (${left} planned crashes did not come)`,
    ...names.map(
      (name) =>
        `  ${name.padEnd(width)}${String(passes[name] ?? 0).padStart(7)}${String(crashes[name] ?? 0).padStart(6)}`,
    ),
  ];
}

function ms(value: number | undefined): string {
  return value === undefined ? "never" : `${value} ms`;
}
