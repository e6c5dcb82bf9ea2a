import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { welcome } from "#local/welcome.ts";
import { theShop } from "./the-shop.ts";

/** What `npm start` tells its reader to paste must work as printed. */
test("the calls that npm start prints sign in, browse and order", async () => {
  const shop = theShop();
  const url = (name: string) => `http://127.0.0.1:${shop.servicePort(name)}`;
  const text = welcome({ all: [], port: shop.servicePort, url }, { inbox: "inbox", logs: "logs" });
  const commands = text
    .split("\n")
    .filter((line) => line.startsWith("    "))
    .join("\n");

  const { stdout } = await promisify(execFile)("sh", ["-euc", commands], {
    cwd: join(import.meta.dirname, "../.."),
  });

  expect(stdout).toMatch(/"status": ?"PENDING"/);
  expect(stdout).toMatch(/"products": \[/);
});
