import type { Client } from "@connectrpc/connect";
import type { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import type { PriceList } from "./place-order.ts";

/** Asks the catalogue for names and prices. */
export function priceListFrom(product: Client<typeof ProductService>): PriceList {
  return async (productIds) => {
    const { products } = await product.batchGetProducts({ productIds });
    return new Map(
      products.map(({ id, name, price }) => {
        if (!price) throw new Error(`product ${id} has no price`);
        return [
          id,
          {
            name,
            price: { currencyCode: price.currencyCode, units: String(price.units), nanos: price.nanos },
          },
        ];
      }),
    );
  };
}
