/** Events that product consumes: decode, call a use case. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { StockChangedSchema } from "#gen/shop/inventory/v1/events_pb.ts";
import { type EventHandler, on } from "#mesh/runtime/events/consumers.ts";
import { followStock } from "./follow-stock.ts";

export function productEvents(): EventHandler[] {
  return [
    on(StockChangedSchema, ({ productId, available, version, changedAt }, { em, time }) =>
      followStock(em, {
        productId,
        available,
        version,
        changedAt: changedAt ? timestampDate(changedAt) : time,
      }),
    ),
  ];
}
