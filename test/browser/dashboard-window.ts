/** A window with the dashboard's page, and everything that went wrong in it. */
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";

export interface DashboardWindow {
  readonly page: Page;
  /** Requests that left the dashboard's port. */
  readonly strangers: string[];
  /** Errors of scripts, and what the page's policy refused. */
  readonly errors: string[];
  /** Goes to a view: "traces", "traces/ID". */
  open(place: string): Promise<void>;
}

export async function openDashboard(browser: Browser, baseUrl: string): Promise<DashboardWindow> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const strangers: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== baseUrl && protocol !== "data:") strangers.push(request.url());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    // A call that the server refuses is shown by the page.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      errors.push(message.text());
  });
  for (const script of ["record-ticks.js", "measure-click.js"])
    await page.addInitScript({ path: join(import.meta.dirname, script) });
  return {
    page,
    strangers,
    errors,
    async open(place) {
      await page.goto(`${baseUrl}/#/${place}`);
      await page.locator(`main[data-view="${place.split(/[/?]/, 1)[0]}"] h1`).waitFor();
      await page.locator('[data-connection="live"]').waitFor();
    },
  };
}

/** Sequences of the ticks that the page was given, as they came. */
export function heardTicks(page: Page): Promise<number[]> {
  return page.evaluate("heardTicks");
}

/**
 * From a click to the screen that shows `shown`, in milliseconds: the best of three, since others compute here too.
 * @param back undoes the click
 */
export async function clickMs(
  page: Page,
  selector: string,
  shown: string,
  back: () => Promise<unknown>,
): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    if (round > 0) await back();
    times.push(await page.evaluate(`measureClick(${JSON.stringify(selector)}, ${JSON.stringify(shown)})`));
  }
  return Math.min(...times);
}
