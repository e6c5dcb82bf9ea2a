/** Handlers of ProductService: translate, call, translate. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import type { Money } from "#gen/google/type/money_pb.ts";
import type { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import { createProduct } from "./create-product.ts";
import { deleteProduct } from "./delete-product.ts";
import { availabilityOf, findProducts } from "./find-products.ts";
import { listProducts } from "./list-products.ts";
import { type Price, productNotFound } from "./product.ts";
import type { Product } from "./storage.ts";
import { updateProduct } from "./update-product.ts";

export function productRpc(orm: MikroORM): ServiceImpl<typeof ProductService> {
  const messages = async (products: readonly Product[]) => {
    const available = await availabilityOf(orm, products);
    return products.map((product) => productMessage(product, available.get(product.id) ?? 0));
  };
  const message = async (product: Product) => (await messages([product]))[0] as ProductMessage;

  return {
    async listProducts({ pageSize, pageToken, category, query }) {
      const { products, nextPageToken } = await listProducts(orm, { pageSize, pageToken, category, query });
      return { products: await messages(products), nextPageToken };
    },
    async getProduct({ productId }) {
      const [product] = await findProducts(orm, [productId]);
      if (!product) throw productNotFound();
      return message(product);
    },
    async batchGetProducts({ productIds }) {
      return { products: await messages(await findProducts(orm, productIds)) };
    },
    async createProduct({ name, description, category, price }) {
      // The contract requires a price.
      return message(
        await createProduct(orm, { name, description, category, price: priceOf(price as Money) }),
      );
    },
    async updateProduct({ productId, name, description, category, price }) {
      const changes = { name, description, category, price: price && priceOf(price) };
      return message(await updateProduct(orm, productId, changes));
    },
    async deleteProduct({ productId }) {
      await deleteProduct(orm, productId);
      return {};
    },
  };
}

type ProductMessage = ReturnType<typeof productMessage>;

function productMessage(product: Product, available: number) {
  const { id, name, description, category, currencyCode, units, nanos } = product;
  return {
    id,
    name,
    description,
    category,
    price: { currencyCode, units, nanos },
    available,
    createdAt: timestampFromDate(product.createdAt),
    updatedAt: timestampFromDate(product.updatedAt),
  };
}

function priceOf({ currencyCode, units, nanos }: Money): Price {
  return { currencyCode, units, nanos };
}
