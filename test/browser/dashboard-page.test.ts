/** The dashboard's page in a real browser, over a shop of its own: processes are killed here, and stores flooded. */
import { randomUUID } from "node:crypto";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Customer, send } from "../journeys/customer.ts";
import { type Shop, startShop } from "../system/shop.ts";
import { violationsOf } from "./axe.ts";
import { chromiumPath, startChromium } from "./chromium.ts";
import { openLine } from "./cuttable-line.ts";
import { clickMs, type DashboardWindow, heardTicks, openDashboard } from "./dashboard-window.ts";
import { floodLogs, floodTraces } from "./flood.ts";

if (!chromiumPath) console.log("skipped: needs chromium (set CHROMIUM_BIN, or install Debian's package)");

describe.skipIf(!chromiumPath)("the dashboard's page", () => {
  let shop: Shop;
  let browser: Browser;
  let baseUrl: string;
  let dashboard: DashboardWindow;
  let orderId: string;
  let traceId: string;
  beforeAll(async () => {
    [shop, browser] = await Promise.all([
      startShop({ env: { WEFT_FAULTS: "allow", WEFT_SHED_LATE_MS: "0" } }),
      startChromium(),
    ]);
    baseUrl = `http://127.0.0.1:${shop.servicePort("dashboard")}`;
    dashboard = await openDashboard(browser, baseUrl);
  });
  afterAll(async () => {
    await Promise.allSettled([browser?.close(), shop?.stop()]);
  });

  test("draws every call of the contract in grey before there is traffic", async () => {
    const { page, open } = dashboard;
    await open("topology");
    const calls = page.locator('[data-edge*=">"]');
    await calls.first().waitFor({ state: "attached" });
    expect(await calls.count()).toBeGreaterThanOrEqual(11);
    // Keys for tokens are fetched as soon as processes start.
    const lit = await page
      .locator('[data-edge*=">"]:not([data-tone="calm"]):not([data-edge$=">auth"])')
      .count();
    expect(lit).toBe(0);
    await page.locator('[data-row-edge="edge>order"]', { hasText: "no samples" }).waitFor();
  });

  test("lights the edges of an order, shows its one trace from the edge to the mail, and the mail", async () => {
    const { page, open } = dashboard;
    const requestId = `page-${randomUUID()}`;
    const customer = await Customer.register(shop);
    const { body } = await send(shop, "GET", "/v1/products?pageSize=1");
    const items = [{ productId: body.products[0].id, quantity: 1 }];
    const placed = await customer.post(
      "/v1/orders",
      { items, paymentToken: "tok_visa" },
      { "x-request-id": requestId, "idempotency-key": randomUUID() },
    );
    expect(placed.status).toBe(201);
    orderId = placed.body.id;
    await customer.settledOrder(orderId);
    const edges = ["outside>edge", "edge>order", "order>inventory", "order>payment"];
    const lit = async () => {
      const ones = edges.map((edge) => page.locator(`[data-edge="${edge}"]:not([data-tone="calm"])`));
      const counts = await Promise.all(ones.map((one) => one.count()));
      const found = edges.filter((_, index) => counts[index]! > 0);
      if (found.length < edges.length) await customer.placeOrder(items); // edges are lit by the last seconds
      return found;
    };
    await expect.poll(lit, { interval: 1_000 }).toEqual(edges);

    await open(`traces?id=${requestId}`);
    await page.locator(".trace-row").first().click();
    await page.locator("[data-span]").first().waitFor();
    traceId = page.url().split("/").at(-1)!;
    for (const service of ["edge", "order", "inventory", "payment", "email"])
      await page.locator(`[data-span][data-service="${service}"]`).first().waitFor();
    for (const kind of ["PRODUCER", "CONSUMER"])
      await page.locator(`[data-span][data-kind="${kind}"]`).first().waitFor();
    await page
      .locator("[data-span]", { hasText: /INSERT|SELECT|UPDATE|query/i })
      .first()
      .click();
    await page.locator("aside", { hasText: "db.system.name" }).waitFor();

    await open("inbox");
    await page.locator(".mail", { hasText: customer.email }).first().click();
    await page.locator("article", { hasText: customer.email }).waitFor();

    await open(`timelines/orders/${orderId}`);
    await page.locator('[data-state="CONFIRMED"]').waitFor();
  });

  test("shows a killed service red, and green again", async () => {
    const { page, open } = dashboard;
    await open("services");
    const row = page.locator('[data-process="email"]');
    // The page hears each second. What ends again and again is started again ever later: for long enough to be seen.
    const isSeen = async () => {
      await row.getByRole("button", { name: "kill email" }).click();
      const red = row.locator(".badge.bad").first().waitFor({ timeout: 5_000 });
      return red.then(
        () => true,
        () => false,
      );
    };
    await expect.poll(isSeen).toBe(true);
    await page.locator('[data-process="email"][data-state="READY"]').waitFor();
  });

  test("shows a fault that is injected, and what callers see of it", async () => {
    const { page, open } = dashboard;
    await open("faults");
    await page
      .getByRole("combobox", { name: "Method" })
      .selectOption("shop.product.v1.ProductService/ListProducts");
    await page.getByLabel("Abort, % of calls").fill("100");
    await page.getByRole("button", { name: "Inject" }).click();
    await page.locator('[data-fault="shop.product.v1.ProductService/ListProducts"]').waitFor();
    const status = async () => (await send(shop, "GET", "/v1/products")).status;
    await expect.poll(status).toBe(503);
    const callers = page.getByRole("region", { name: "Callers of what fails" }).getByText("UNAVAILABLE");
    // Figures are those of the last seconds.
    const told = async () => {
      await status();
      return callers.count();
    };
    await expect.poll(told, { interval: 500 }).toBeGreaterThan(0);
    await page.getByRole("button", { name: "end it" }).click();
    await page.locator("[data-fault]").waitFor({ state: "detached" });
  });

  test("calls a method as a user, shows the answer, and says what is wrong with a request before it is sent", async () => {
    const { page, open } = dashboard;
    await open("explorer/shop.product.v1.ProductService%2FListProducts");
    await page.getByRole("button", { name: "Call", exact: true }).click();
    await page.locator('[data-code="OK"]').waitFor();
    await page.getByLabel("Request, as JSON").fill('{"pageSize": "many", "colour": 1}');
    await page.locator(".findings", { hasText: "has no field colour" }).waitFor();
    await page.getByRole("button", { name: "grpcurl" }).click();
    await page.locator("pre", { hasText: "grpcurl" }).waitFor();
  });

  test("begins a purchase with an example, and publishes an event by hand that is seen in its stream", async () => {
    const { page, open } = dashboard;
    await open("explorer/shop.order.v1.OrderService%2FPlaceOrder");
    await expect.poll(() => page.getByLabel("Request, as JSON").inputValue()).toContain("paymentToken");
    await open("events/SHOP_AUTH_V1");
    await page
      .getByRole("combobox", { name: "Event", exact: true })
      .selectOption("shop.auth.v1.user_registered");
    const userId = randomUUID();
    const json = page.getByLabel("Event, as JSON");
    await json.fill('{"userId": 1}');
    await page.locator(".findings", { hasText: "userId: must be a string" }).waitFor();
    await json.fill(JSON.stringify({ userId, email: `${userId}@example.com`, roles: ["customer"] }));
    await page.getByRole("button", { name: "Publish" }).click();
    await page.locator("[data-published]").waitFor();
    await page.locator("[data-event]", { hasText: userId }).waitFor();
  });

  test("comes back after its stream broke, and misses no tick", async () => {
    const line = await openLine(shop.servicePort("dashboard"));
    const { page, open } = await openDashboard(browser, `http://127.0.0.1:${line.port}`);
    await open("overview");
    line.cut();
    await page.locator('[data-connection="lost"]').waitFor();
    const before = (await heardTicks(page)).length;
    // At least two ticks happen meanwhile.
    await expect
      .poll(async () => Number(await dashboard.page.locator("[data-sequence]").getAttribute("data-sequence")))
      .toBeGreaterThan((await heardTicks(page)).at(-1)! + 2);
    line.mend();
    await page.locator('[data-connection="live"]').waitFor();
    await expect.poll(async () => (await heardTicks(page)).length).toBeGreaterThan(before + 2);
    const heard = await heardTicks(page);
    expect(heard).toEqual(heard.map((_, index) => heard[0]! + index));
    expect(await page.getByText("missed").count()).toBe(0);
    await page.context().close();
    await line.close();
  });

  test("is used by the keyboard", async () => {
    const { page, open } = dashboard;
    await open("logs");
    await page.locator("main").focus();
    await page.keyboard.press("/");
    await expect.poll(() => page.evaluate("document.activeElement.hasAttribute('data-filter')")).toBe(true);
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    const list = page.getByRole("listbox", { name: "Log lines" });
    await list.focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Line" }).waitFor();
    await open("overview");
    await page.goBack();
    await page.locator('main[data-view="logs"]').waitFor();
  });

  test("has nothing that axe objects to, in light and dark, and fits 360 pixels, in every view", async () => {
    const { page, open } = dashboard;
    const places = [
      "overview",
      "topology",
      "services",
      "traces",
      `traces/${traceId}`,
      "logs",
      "events/SHOP_ORDER_V1",
      `timelines/orders/${orderId}`,
      "explorer/shop.order.v1.OrderService%2FPlaceOrder",
      "inbox/1",
      "contracts",
      "faults",
    ];
    const found: string[] = [];
    for (const place of places) {
      await open(place);
      await page.locator("main .panel").first().waitFor();
      for (const text of await violationsOf(page)) found.push(`${place}: ${text}`);
      await page.emulateMedia({ colorScheme: "dark" });
      for (const text of await violationsOf(page, ["color-contrast"])) found.push(`${place}, dark: ${text}`);
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 360, height: 740 });
      const width = await page.evaluate<number>("document.documentElement.scrollWidth");
      if (width > 360) found.push(`${place}: ${width} pixels wide`);
      await page.setViewportSize({ width: 1280, height: 800 });
    }
    expect(found).toEqual([]);
  }, 300_000);

  test("answers a click with 100,000 log lines and 10,000 traces, of which it draws what is seen", async () => {
    const { page, open } = dashboard;
    await open("logs");
    floodLogs(shop.dataDir, "user", 110_000);
    await floodTraces(baseUrl, 10_500);
    await page.getByText("oldest dropped").first().waitFor();
    await page.locator('[data-view="logs"] [data-lines]').waitFor();
    const close = () => page.getByRole("button", { name: "Close" }).click();
    const line = await clickMs(page, ".log-row", 'aside[aria-label="Line"]', close);
    expect(await page.locator(".row").count()).toBeLessThan(150);
    const toTraces = async () => {
      await open("traces");
      await page.locator(".trace-row").first().waitFor();
    };
    await toTraces();
    await page.getByText("oldest dropped").first().waitFor();
    expect(await page.locator(".row").count()).toBeLessThan(150);
    const trace = await clickMs(page, ".trace-row", "[data-span]", toTraces);
    await toTraces();
    const view = await clickMs(page, 'nav a[href="#/logs"]', ".log-row", toTraces);
    // What drew them all would take minutes; npm run bench:dashboard tells the time that a click takes.
    expect(Math.max(line, trace, view)).toBeLessThan(10_000);
  });

  test("asked nothing of anybody but the dashboard, and had no error", () => {
    expect(dashboard.strangers).toEqual([]);
    expect(dashboard.errors).toEqual([]);
  });
});
