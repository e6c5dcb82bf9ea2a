/** The whole system, as `npm start` runs it: journeys of your own go beside this file. */
import { expect, test } from "vitest";
import { theShop } from "../system/the-shop.ts";

test("edge and dashboard answer", async () => {
  const system = theShop();
  expect((await fetch(`${system.edgeUrl}/readyz`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${system.servicePort("dashboard")}/`)).status).toBe(200);
});
