import { afterEach, expect, test } from "vitest";
import { type AdminPort, openAdminPort } from "./admin-port.ts";

let admin: AdminPort;
afterEach(() => admin.close());

async function open(pages: Partial<Parameters<typeof openAdminPort>[2]> = {}) {
  admin = await openAdminPort("127.0.0.1", 0, {
    metrics: async () => "up 1\n",
    isReady: () => true,
    ...pages,
  });
  return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${admin.port}${path}`, init);
}

test("figures and probes", async () => {
  let ready = true;
  const get = await open({ isReady: () => ready });
  const metrics = await get("/metrics?x=1");
  expect([metrics.status, metrics.headers.get("content-type"), await metrics.text()]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
    "up 1\n",
  ]);
  expect((await get("/readyz")).status).toBe(200);
  ready = false;
  expect((await get("/readyz")).status).toBe(503);
  expect((await get("/healthz")).status).toBe(200);
});

test("nothing else is there, and nothing can be sent", async () => {
  const get = await open({ metrics: () => Promise.reject(new Error("secret")) });
  expect((await get("/v1/orders")).status).toBe(404);
  expect((await get("/metrics", { method: "POST", body: "x" })).status).toBe(405);
  const failed = await get("/metrics");
  expect([failed.status, await failed.text()]).toEqual([500, expect.not.stringContaining("secret")]);
});
