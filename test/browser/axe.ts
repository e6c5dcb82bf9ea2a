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

/** @param rules only these; all by default. @returns violations in words; empty: none */
export async function violationsOf(page: Page, rules?: string[]): Promise<string[]> {
  await page.evaluate(source);
  const options = {
    resultTypes: ["violations"],
    ...(rules && { runOnly: { type: "rule", values: rules } }),
  };
  const { violations } = await page.evaluate<{ violations: Found[] }>(
    // Mails are of whoever wrote them.
    `axe.run({ exclude: [["iframe"]] }, ${JSON.stringify(options)})`,
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
