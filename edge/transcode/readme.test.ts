/** The example of README.md runs as written, and its table of options is the whole one. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "#local/free-port.ts";
import { DEFAULT_OPTIONS } from "./options.ts";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(import.meta.dirname, "README.md"), "utf8");

test("the example serves routes of the contract", async () => {
  const port = await freePort();
  const [, example = ""] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  mkdirSync(join(root, ".weft"), { recursive: true });
  const file = join(root, `.weft/example-${process.pid}.ts`);
  writeFileSync(file, example.replace("8081", String(port)));
  const server = spawn(process.execPath, [file], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  onTestFinished(() => {
    server.kill();
    rmSync(file);
  });
  const answer = await expect
    .poll(() => fetch(`http://127.0.0.1:${port}/v1/products?pageSize=x`).catch(() => undefined))
    .toBeDefined()
    .then(() => fetch(`http://127.0.0.1:${port}/v1/products?pageSize=x`));
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 3, message: expect.stringContaining("page_size") });
  expect((await fetch(`http://127.0.0.1:${port}/v1/orders`)).status).toBe(404);
});

test("the table has every option", () => {
  const rows = [...readme.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  expect(rows).toEqual(Object.keys(DEFAULT_OPTIONS));
});
