/** A catalogue that serves, for tests, with a stand-in for inventory that tells stock events. */
import type { Client } from "@connectrpc/connect";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { expect } from "vitest";
import { StockChangedSchema } from "#gen/shop/inventory/v1/events_pb.ts";
import { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { type Product, ProductService } from "#gen/shop/product/v1/product_pb.ts";
import seed from "../../../deploy/local/seed.json" with { type: "json" };
import { type Producer, producer } from "../../../test/system/producer.ts";
import { type Served, serve } from "../../../test/system/serve.ts";
import { product } from "../service.ts";

export const price = { currencyCode: "USD", units: 12n, nanos: 900_000_000 };
const admin = { id: uuidv7(), roles: ["admin"] };

type ProductClient = Client<typeof ProductService>;

export interface Catalogue {
  readonly served: Served;
  readonly inventory: Producer;
  /** Connection to the service's database. */
  readonly database: pg.Client;
  asAnyone(): ProductClient;
  asAdmin(): ProductClient;
  asOrder(): ProductClient;
  /** Adds a product. */
  created(fields?: { name?: string; description?: string; category?: string }): Promise<Product>;
  /** Ids of all pages of a list. */
  walk(filters: { category?: string; query?: string; pageSize?: number }): Promise<string[][]>;
  stop(): Promise<void>;
}

/** Starts a catalogue with the development seed. */
export async function startCatalogue(): Promise<Catalogue> {
  const inventory = producer(InventoryService, [StockChangedSchema]);
  const served = await serve([inventory.definition, product], { seed });
  const database = new pg.Client({ connectionString: served.database("product") });
  await database.connect();
  const asAnyone = () => served.client(ProductService);
  const asAdmin = () => served.client(ProductService, { user: admin });
  return {
    served,
    inventory,
    database,
    asAnyone,
    asAdmin,
    asOrder: () => served.client(ProductService, { caller: "order" }),
    created: (fields = {}) =>
      asAdmin().createProduct({ name: "Thing", description: "", category: "things", price, ...fields }),
    async walk(filters) {
      const pages: string[][] = [];
      let pageToken = "";
      do {
        const page = await asAnyone().listProducts({ pageSize: 3, ...filters, pageToken });
        pages.push(page.products.map(({ id }) => id));
        pageToken = page.nextPageToken;
        expect(pages.length, "pages go round in circles").toBeLessThan(20);
      } while (pageToken);
      return pages;
    },
    async stop() {
      await database.end();
      await served.stop();
    },
  };
}
