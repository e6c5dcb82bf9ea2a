/** Handlers of InventoryService: translate, call, translate. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { type InventoryService, Reservation_Status } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { adjustStock } from "./adjust-stock.ts";
import { commitReservation } from "./commit-reservation.ts";
import { releaseReservation } from "./release-reservation.ts";
import { reserveStock } from "./reserve-stock.ts";
import { type Reservation, type Stock, StockRow } from "./storage.ts";

export function inventoryRpc(orm: MikroORM): ServiceImpl<typeof InventoryService> {
  return {
    async getStock({ productId }) {
      const stock = await orm.em.fork().findOne(StockRow, { productId });
      if (!stock)
        throw new ServiceError(Code.NotFound, "STOCK_NOT_FOUND", "nothing is known of this product's stock");
      return stockMessage(stock);
    },
    async adjustStock({ productId, delta }) {
      return stockMessage(await adjustStock(orm, { productId: productId.toLowerCase(), delta }));
    },
    async reserve({ orderId, items }) {
      // Ids are the same in capitals (RFC 9562, section 4); storage has them in small letters.
      const wanted = items.map(({ productId, quantity }) => ({
        productId: productId.toLowerCase(),
        quantity,
      }));
      return reservationMessage(await reserveStock(orm, { orderId, items: wanted }));
    },
    async commit({ orderId }) {
      return reservationMessage(await commitReservation(orm, orderId));
    },
    async release({ orderId }) {
      return reservationMessage(await releaseReservation(orm, orderId));
    },
  };
}

function stockMessage({ productId, available, reserved, sold, version, updatedAt }: Stock) {
  return { productId, available, reserved, sold, version, updatedAt: timestampFromDate(updatedAt) };
}

function reservationMessage({ orderId, status }: Reservation) {
  return { orderId, status: Reservation_Status[status] };
}
