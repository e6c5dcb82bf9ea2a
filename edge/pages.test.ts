import { readFileSync } from "node:fs";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { edgePages } from "./pages.ts";

const openApi = readFileSync("gen/openapi/openapi.json", "utf8");
let ready = true;
let pages: FastifyInstance;
beforeAll(async () => {
  pages = await edgePages({ isReady: () => ready, openApi });
});
afterAll(() => pages.close());

const get = (url: string) => pages.inject({ method: "GET", url });

test("the API's description is served as it is", async () => {
  const reply = await get("/openapi.json");
  expect(reply.statusCode).toBe(200);
  expect(reply.headers["content-type"]).toContain("application/json");
  expect(reply.json()).toEqual(JSON.parse(openApi));
});

test("the page to try it loads nothing from elsewhere, and may not", async () => {
  const page = await get("/docs/");
  expect(page.statusCode).toBe(200);
  expect(page.headers["content-type"]).toContain("text/html");
  const sources = [...page.body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, source]) => source!);
  expect(sources.length).toBeGreaterThan(0);
  for (const source of sources) {
    const { origin, pathname } = new URL(source, "http://edge/docs/");
    expect(origin, source).toBe("http://edge");
    const script = await get(pathname);
    expect(script.statusCode, source).toBe(200);
    expect(script.headers["content-type"]).toContain("javascript");
  }
  expect(page.body).toContain("/openapi.json");
  const policy = String(page.headers["content-security-policy"]);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("connect-src 'self'");
  expect(policy).not.toMatch(/https?:|\*/);
});

test("readiness follows the process, liveness does not", async () => {
  ready = false;
  expect((await get("/readyz")).statusCode).toBe(503);
  expect((await get("/healthz")).statusCode).toBe(200);
  ready = true;
  expect((await get("/readyz")).statusCode).toBe(200);
});

test("without a description there is no page", async () => {
  const bare = await edgePages({ isReady: () => true });
  for (const url of ["/docs", "/openapi.json"]) expect((await bare.inject(url)).statusCode, url).toBe(404);
  await bare.close();
});
