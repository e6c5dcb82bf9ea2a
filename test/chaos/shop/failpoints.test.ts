import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { failpoints, failpointsAt, seldom } from "./failpoints.ts";

const root = join(import.meta.dirname, "../../..");

/** Names of the failpoints in the code; a part of a name that is computed is any word. */
const inCode = ["mesh/runtime", "services", "edge"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .flatMap((file) => [
      ...readFileSync(join(root, folder, file), "utf8").matchAll(/failpoint\(\s*["`]([^"`]+)["`]/g),
    ])
    .map(([, name]) => new RegExp(`^${name!.replaceAll(".", "\\.").replace(/\$\{[^}]+\}/g, "\\w+")}$`)),
);
const planned = [...new Set([...Object.values(failpoints), ...Object.values(seldom)].flat())];

test("every failpoint of the code is planned for", () => {
  expect(inCode.length).toBeGreaterThan(10);
  expect(inCode.filter((name) => !planned.some((plan) => name.test(plan)))).toEqual([]);
});

test("every planned failpoint is in the code", () => {
  expect(planned.filter((plan) => !inCode.some((name) => name.test(plan)))).toEqual([]);
});

test("each place has a failpoint before and one after it", () => {
  const partner = (name: string) =>
    name.endsWith(".before") ? name.replace(/before$/, "after") : name.replace(/after$/, "before");
  expect(planned.filter((name) => !planned.includes(partner(name)))).toEqual([]);
});

test("a run may keep to some of them, in whatever process they are", () => {
  expect(failpointsAt(["inbox.commit", "checkout.query_charge"])).toEqual({
    order: ["checkout.query_charge.before", "checkout.query_charge.after"],
    email: ["inbox.commit.before", "inbox.commit.after"],
    product: ["inbox.commit.before", "inbox.commit.after"],
  });
  expect(() => failpointsAt(["mail.read"])).toThrow("no such failpoint: mail.read; there are charge.ask, ");
});
