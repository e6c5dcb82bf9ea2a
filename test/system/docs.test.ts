/** What the documentation says to type works as written, and its links lead somewhere. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { system } from "#local/system.ts";
import { theShop } from "./the-shop.ts";

const root = resolve(import.meta.dirname, "../..");
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "docs/calling.md",
  "docs/failures.md",
  "docs/patterns.md",
  "deploy/local/README.md",
];
/** Its commands need tools of other languages, which npm run polyglot has. */
const polyglotPage = "docs/polyglot.md";
const services = system.services.map(({ name }) => name);
const everyPage = [
  ...pages,
  polyglotPage,
  "mesh/go/README.md",
  "services/inventory/go/README.md",
  "test/chaos/README.md",
  ...services.map((name) => `services/${name}/README.md`),
];

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const textOf = (page: string) => readFileSync(join(root, page), "utf8");
const blocksOf = (page: string) => [...textOf(page).matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block!);
/** npm's scripts run this very test; that they exist is all that can be checked here. */
const isNpm = (block: string) => block.split("\n").every((line) => line === "" || line.startsWith("npm "));

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
  promisify(execFile)("bash", ["-euo", "pipefail", "-c", onOurPorts(block)], { cwd: root, timeout: 50_000 });

const runnable = [...pages, ...(process.env.WEFT_IMPL ? [polyglotPage] : [])].flatMap((page) =>
  blocksOf(page)
    .filter((block) => !isNpm(block))
    .map((block) => ({ page, block, first: block.split("\n", 1)[0]! })),
);
const hasGrpcurl = await promisify(execFile)("grpcurl", ["-version"]).then(
  () => true,
  () => false,
);

if (!hasGrpcurl) console.log("docs/calling.md, grpcurl: skipped: needs grpcurl");

test.for(runnable)("$page: $first", async ({ block }, { skip }) => {
  skip(block.includes("grpcurl") && !hasGrpcurl, "skipped: needs grpcurl");
  const { stdout } = await run(block);
  expect(stdout).not.toMatch(/"code": ?\d|^curl:/m);
  expect(stdout.trim()).not.toBe("");
});

test("the order of the README ends confirmed", async () => {
  const [order] = blocksOf("README.md").filter((block) => !isNpm(block));
  expect((await run(order!)).stdout).toMatch(/"status":"CONFIRMED"[^\n]*\s*$/);
});

test("npm commands name scripts and folders that exist", () => {
  for (const page of everyPage) {
    for (const [, command, argument] of textOf(page).matchAll(
      /npm (start|test|run [\w:-]+)(?: -- ([\w/.-]+))?/g,
    )) {
      expect(Object.keys(scripts), `${page}: npm ${command}`).toContain(command!.replace("run ", ""));
      // A service that the page has just had made is not there.
      const made = new RegExp(`weft -- new service ${argument?.replace("services/", "")}\\b`);
      if (command === "test" && argument && !made.test(textOf(page)))
        expect(existsSync(join(root, argument)), `${page}: ${argument}`).toBe(true);
    }
  }
});

test("links lead to files that exist", () => {
  for (const page of everyPage) {
    for (const [, target] of textOf(page).matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (/^https?:/.test(target!)) continue;
      expect(existsSync(resolve(root, dirname(page), target!)), `${page} → ${target}`).toBe(true);
    }
  }
});
