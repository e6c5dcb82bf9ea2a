import { StockChangedSchema } from "#gen/shop/inventory/v1/events_pb.ts";
import { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { inventoryRpc } from "./rpc.ts";
import { seedStock } from "./seed.ts";
import { storage } from "./storage.ts";

export const inventory: ServiceDefinition = {
  contract: InventoryService,
  storage,
  emits: [StockChangedSchema],
  compose: ({ orm }) => ({
    routes: (router) => router.service(InventoryService, inventoryRpc(orm)),
    seed: (data) => seedStock(orm, data),
  }),
};
