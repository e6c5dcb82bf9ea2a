/** The documented clients in TypeScript, in Node and in a real browser. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build, preview } from "vite";
import { expect, inject, test } from "vitest";
import { chromiumPath, startChromium } from "../browser/chromium.ts";
import { theShop } from "../system/the-shop.ts";

const root = join(import.meta.dirname, "../../docs/clients");
const shop = theShop();
if (!chromiumPath) console.log("skipped: needs chromium (set CHROMIUM_BIN, or install Debian's package)");

test("the client in Node orders over gRPC", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(root, "order-from-node.ts"),
    shop.edgeUrl,
  ]);
  expect(stdout).toMatch(/^[\da-f-]{36}\n(\w+\n)*CONFIRMED\n$/);
});

test.skipIf(!chromiumPath)("the client in a browser orders across origins, and shows refusals", async () => {
  const port = inject("pagePort");
  const outDir = mkdtempSync(join(tmpdir(), "weft-page-"));
  const config = {
    root,
    configFile: false as const,
    logLevel: "warn" as const,
    build: { outDir, emptyOutDir: true },
  };
  await build(config);
  const server = await preview({ ...config, preview: { port, strictPort: true, host: "127.0.0.1" } });
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/?edge=${shop.edgeUrl}`);
    await page.fill("[name=password]", "not-the-password");
    await page.click("button");
    const lines = () => page.locator("li").allTextContents();
    await expect.poll(lines).toEqual([expect.stringMatching(/^Unauthenticated CREDENTIALS_WRONG: /)]);
    await page.fill("[name=password]", "correct-horse-battery-staple");
    await page.click("button");
    await expect.poll(lines).toContain("CONFIRMED");
    expect(await lines()).toContainEqual(expect.stringMatching(/^[\da-f-]{36}$/));
  } finally {
    await browser.close();
    await server.close();
    rmSync(outDir, { recursive: true });
  }
});
