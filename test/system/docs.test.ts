/** What the documentation says to type works as written, against the running shop. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { system } from "#local/system.ts";
import { commandsOf, isNpm, pagesIn, root, textOf } from "../docs/markdown-pages.ts";
import { theShop } from "./the-shop.ts";

/** Its commands need tools of other languages, which npm run polyglot has. */
const polyglotPage = "docs/polyglot.md";
/** The tutorial has an order of its own and changes files: test/scaffold/tutorial.ts follows it. */
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  ...pagesIn("docs").filter((page) => !page.startsWith("docs/tutorial/") && page !== polyglotPage),
  ...(process.env.WEFT_IMPL ? [polyglotPage] : []),
  "deploy/local/README.md",
];

/** Documented ports are those without an offset. */
function onOurPorts(block: string): string {
  const shop = theShop();
  const ports = Object.fromEntries(
    system.services.map(({ name, port }) => [String(port), shop.servicePort(name)]),
  );
  return block
    .replaceAll("127.0.0.1:8080", `127.0.0.1:${new URL(shop.edgeUrl).port}`)
    .replace(/127\.0\.0\.1:(900\d)/g, (_, port: string) => `127.0.0.1:${ports[port]}`);
}

const run = (block: string) =>
  promisify(execFile)("bash", ["-euo", "pipefail", "-c", onOurPorts(block)], {
    cwd: root,
    timeout: 150_000,
    maxBuffer: 64 << 20,
  });

const runnable = pages.flatMap((page) =>
  commandsOf(page)
    .filter((block) => !isNpm(block))
    .map((block) => ({ page, block, first: block.split("\n", 1)[0]! })),
);

/** Tools that not every machine has, and how to ask for them. */
const optional = new Map([
  ["grpcurl", ["-version"]],
  ["kubectl", ["version", "--client"]],
  [".weft/python/bin/python", ["-c", "import grpc"]],
]);
const missing: string[] = [];
for (const [tool, args] of optional)
  await promisify(execFile)(tool, args).catch(() => {
    missing.push(tool);
    console.log(`docs, ${tool}: skipped: needs ${tool}`);
  });

test.for(runnable)("$page: $first", async ({ block }, { skip }) => {
  const needed = missing.find((tool) => block.includes(tool));
  skip(needed !== undefined, `skipped: needs ${needed}`);
  const { stdout } = await run(block);
  expect(stdout).not.toMatch(/"code": ?\d|^curl:/m);
  expect(stdout.trim()).not.toBe("");
});

test("the order of the README ends confirmed", async () => {
  const [order] = commandsOf("README.md").filter((block) => !isNpm(block));
  expect((await run(order!)).stdout).toMatch(/"status":"CONFIRMED"[^\n]*\s*$/);
});

test("the reference has every figure that a service and the edge show", async () => {
  const shop = theShop();
  const ports = [shop.servicePort("order"), shop.servicePort("edge-admin")];
  const texts = await Promise.all(
    ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
  );
  const shown = texts.flatMap((text) =>
    [...text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name as string),
  );
  expect(shown.length).toBeGreaterThan(20);
  const told = [...textOf("docs/reference/metrics.md").matchAll(/^\| `(\w+)`/gm)].map(
    ([, name]) => new RegExp(`^${(name as string).replace("NAME", "\\w+")}$`),
  );
  expect(shown.filter((name) => name !== "target_info" && !told.some((one) => one.test(name)))).toEqual([]);
});
