import { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { productEvents } from "./events.ts";
import { productRpc } from "./rpc.ts";
import { seedProducts } from "./seed.ts";
import { storage } from "./storage.ts";

export const product: ServiceDefinition = {
  contract: ProductService,
  storage,
  emits: [],
  compose: ({ orm }) => ({
    routes: (router) => router.service(ProductService, productRpc(orm)),
    consumers: productEvents(),
    seed: (data) => seedProducts(orm, data),
  }),
};
