/** Which way imports point, in words; and that the kit knows no noun of the shop. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const folders = ["services", "edge", "mesh", "dashboard", "deploy", "cli", "gen", "test"];
const aliases: [string, string][] = [
  ["#gen/", "gen/ts/"],
  ["#mesh/", "mesh/"],
  ["#edge/", "edge/"],
  ["#local/", "deploy/local/"],
  ["#dashboard/", "dashboard/"],
];

/** Part of the tree → parts it may import from. Tests beside the code may also use test/system. */
const allowed: Record<string, string[]> = {
  "mesh/runtime": ["mesh/runtime", "gen"],
  // Rights on the bus are the same on one machine and in a cluster; nothing generated stands behind them.
  "mesh/codegen": ["mesh/codegen", "gen", "mesh/runtime/events"],
  "mesh/contracts": ["mesh/contracts", "mesh/codegen", "gen"],
  edge: ["edge", "mesh/runtime", "gen"],
  services: ["mesh/runtime", "gen"],
  // It reads the contract as the generator does, and the runner's processes and mails as the runner keeps them.
  dashboard: [
    "dashboard",
    "mesh/runtime",
    "mesh/codegen",
    "deploy/local/control",
    "deploy/local/inbox.ts",
    "gen",
  ],
  cli: ["cli", "dashboard/sources", "mesh/runtime", "deploy/local", "gen"],
};

const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)))
  .filter((path) => !path.includes("node_modules"));
const sources = files.filter((path) => path.endsWith(".ts"));
const goSources = files.filter((path) => path.endsWith(".go"));

function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
    (match) => match[1] as string,
  );
  return specifiers.flatMap((specifier) => {
    if (specifier.startsWith(".")) return [relative(root, resolve(root, path, "..", specifier))];
    const alias = aliases.find(([prefix]) => specifier.startsWith(prefix));
    return alias ? [alias[1] + specifier.slice(alias[0].length)] : [];
  });
}

const within = (path: string, part: string) => path === part || path.startsWith(`${part}/`);
const isTest = (path: string) => /\.test\.ts$|_test\.go$|\/testdata\//.test(path);

for (const [part, targets] of Object.entries(allowed)) {
  test(`${part} imports only from ${targets.join(", ")}`, () => {
    const breaches = sources
      .filter((path) => within(path, part) && !isTest(path))
      .flatMap((path) =>
        importsOf(path)
          .filter((target) => !targets.some((ok) => within(target, ok)) && !sameService(path, target))
          .map((target) => `${path} → ${target}`),
      );
    expect(breaches).toEqual([]);
  });
}

test("rules import nothing but the error class and rules", () => {
  const rules = ["services/order/order.ts", "services/order/money.ts", "services/inventory/stock.ts"];
  for (const path of rules) {
    const text = readFileSync(join(root, path), "utf8");
    expect(text, path).not.toMatch(/@mikro-orm|fastify|@nats-io|_pb\.ts/);
  }
});

test("the kit knows no noun of the shop", () => {
  // "order" alone is an ordinary word: sequence, sorting, "in order to".
  const nouns =
    /\b(shops?|products?|inventory|payments?|checkout|carts?|customers?)\b|order_?id|place.?order|OrderService/i;
  const breaches = [...sources, ...goSources]
    .filter(
      (path) =>
        ["mesh/runtime", "mesh/codegen", "mesh/go", "edge", "dashboard"].some((part) => within(path, part)) &&
        !isTest(path),
    )
    .flatMap((path) =>
      readFileSync(join(root, path), "utf8")
        .split("\n")
        .flatMap((line, index) => (nouns.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
  expect(breaches).toEqual([]);
});

function sameService(path: string, target: string): boolean {
  const folder = path.split("/").slice(0, 2).join("/");
  return within(path, "services") && within(target, folder);
}
