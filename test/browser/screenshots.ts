/** npm run screenshots: the pictures of the README, docs/images/*.png, of a shop with traffic. */
import { mkdirSync, statSync } from "node:fs";
import { Customer, send } from "../journeys/customer.ts";
import { startShop } from "../system/shop.ts";
import { chromiumPath, startChromium } from "./chromium.ts";
import { openDashboard } from "./dashboard-window.ts";

const folder = "docs/images";
const mostBytes = 200_000;
const orders = 24;

if (!chromiumPath) {
  console.log("skipped: needs chromium (set CHROMIUM_BIN, or install Debian's package)");
  process.exit(0);
}
mkdirSync(folder, { recursive: true });
const [shop, browser] = await Promise.all([startShop(), startChromium()]);
try {
  const { page, open } = await openDashboard(browser, `http://127.0.0.1:${shop.servicePort("dashboard")}`);
  const picture = async (name: string) => {
    const path = `${folder}/${name}.png`;
    await page.screenshot({ path });
    const { size } = statSync(path);
    console.log(`${path} ${Math.round(size / 1024)} KiB`);
    if (size > mostBytes) throw new Error(`${path} is larger than ${mostBytes} bytes`);
  };
  await open("overview");
  const customer = await Customer.signIn(shop, "alice@example.com");
  const { body } = await send(shop, "GET", "/v1/products?pageSize=20");
  let last = "";
  for (let number = 0; number < orders; number++) {
    const { id } = body.products[number % body.products.length];
    const placed = await customer.placeOrder(
      [{ productId: id, quantity: 1 }],
      number % 6 === 5 ? "tok_declined" : "tok_visa",
    );
    if (number % 6 !== 5) last = placed.body.id;
    await send(shop, "GET", `/v1/products/${id}`);
    await customer.get(`/v1/orders/${placed.body.id}`);
    await page.waitForTimeout(350);
  }
  await customer.settledOrder(last);
  await picture("dashboard-overview");
  await open("topology");
  await page.locator('[data-edge="edge>order"]:not([data-tone="calm"])').waitFor({ state: "attached" });
  await picture("dashboard-topology");
  await open(`timelines/orders/${last}`);
  await page.getByRole("link", { name: "its trace" }).click();
  await page.locator('[data-span][data-service="email"]').first().waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await picture("dashboard-trace");
} finally {
  await browser.close();
  await shop.stop();
}
