/** Accessibility of a page as auditors check it: the rules of WCAG 2.2, levels A and AA, and best practices. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Found {
  id: string;
  help: string;
  nodes: { target: string[]; failureSummary?: string }[];
}

/** Mails are of whoever wrote them; of rows that are alike the first ones stand for all: contrast costs time. */
const notLooked = [
  "iframe",
  "tbody tr:nth-child(n+5)",
  ".virtual-space > :nth-child(n+5)",
  ".waterfall li:nth-child(n+12)",
  ".log-tail li:nth-child(n+5)",
  ".events li:nth-child(n+5)",
  ".mails li:nth-child(n+5)",
  ".methods li:nth-child(n+4)",
  ".picker-list section:nth-child(n+3)",
  ".panel:nth-child(n+8)",
].map((selector) => [selector]);

/** @param rules only these; all by default. @returns violations in words; empty: none */
export async function violationsOf(page: Page, rules?: string[]): Promise<string[]> {
  await page.evaluate(source);
  const options = {
    resultTypes: ["violations"],
    preload: false,
    ...(rules && { runOnly: { type: "rule", values: rules } }),
  };
  const { violations } = await page.evaluate<{ violations: Found[] }>(
    `axe.run({ exclude: ${JSON.stringify(notLooked)} }, ${JSON.stringify(options)})`,
  );
  return violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes
        .slice(0, 5)
        .map(
          ({ target, failureSummary }) =>
            `${target.join(" ")} (${failureSummary?.split("\n").at(-1)?.trim()})`,
        )
        .join("; ")}`,
  );
}
