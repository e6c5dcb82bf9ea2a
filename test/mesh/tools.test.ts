/** What the makers' own tools say of what we write. A tool that is not there is named as skipped. */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { metrics } from "../../mesh/codegen/weft/targets/metrics.ts";
import { root } from "./generated-objects.ts";

const has = (tool: string) => spawnSync(tool, ["--help"], { stdio: "ignore" }).error === undefined;
const rules = join(root, "deploy/observability/generated/rules");
const dashboards = join(root, "deploy/observability/generated/dashboards");
const ending = (folder: string, end: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(end))
    .map((name) => join(folder, name));

test.skipIf(!has("promtool"))(
  "promtool (Debian: prometheus) takes every rule, and the alerts do what they should",
  () => {
    execFileSync("promtool", ["check", "rules", ...ending(rules, ".rules.yaml")], { stdio: "pipe" });
    execFileSync("promtool", ["test", "rules", ...ending(join(rules, "tests"), ".test.yaml")], {
      stdio: "pipe",
    });
  },
);

test.each(ending(dashboards, ".json"))("%s: panels have a place, a unit, words and a source", (file) => {
  const { uid, title, templating, panels } = JSON.parse(readFileSync(file, "utf8"));
  expect(uid).toMatch(/^weft-/);
  expect(title).not.toBe("");
  const variables = new Set(templating.list.map(({ name }: { name: string }) => name));
  const ids = new Set<number>();
  for (const panel of panels) {
    expect(panel.title && panel.description && panel.fieldConfig.defaults.unit).toBeTruthy();
    expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
    expect(panel.targets.length).toBeGreaterThan(0);
    ids.add(panel.id);
    for (const { expr, legendFormat, datasource } of panel.targets) {
      expect(legendFormat).not.toBe("");
      expect(datasource.uid).toBe("$" + "{datasource}");
      const used = [...String(expr).matchAll(/"\$(\w+)"/g)].map((match) => match[1]);
      for (const name of used) expect(variables).toContain(name);
      const measured =
        Object.values(metrics).some((name) => expr.includes(name)) || expr.includes("rpc:slo_bad");
      expect(measured, expr).toBe(true);
    }
  }
  expect(ids.size).toBe(panels.length);
});
