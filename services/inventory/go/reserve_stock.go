package main

import (
	"context"
	"slices"

	"google.golang.org/grpc/codes"

	"weft.local/weft/mesh/go/rpc/refusal"
	"weft.local/weft/mesh/go/storage"
)

// reserveStock sets pieces aside for an order: all lines or none. A repeat answers what the first call did. It
// refuses with OUT_OF_STOCK, with RESERVATION_RELEASED when the order gave up before this call came, and with
// RESERVATION_DIFFERS when the first call asked for something else.
func reserveStock(
	ctx context.Context, db *storage.Database, orderID string, items []Item,
) (reservation *Reservation, err error) {
	err = db.InTransaction(ctx, func(tx *storage.Tx) error {
		known, err := lockReservation(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if known != nil && known.Status == Released {
			return givenUp()
		}
		if known != nil && !sameItems(known.Items, items) {
			return refusal.New(codes.AlreadyExists, "RESERVATION_DIFFERS",
				"the order has a reservation of other products or quantities")
		}
		if known != nil {
			reservation = known
			return nil
		}
		stock, err := lockStock(ctx, tx, productsOf(items))
		if err != nil {
			return err
		}
		for _, item := range items {
			var pieces *Pieces
			if row := stock[item.ProductID]; row != nil {
				pieces = &row.Pieces
			}
			if err := reserve(pieces, item.ProductID, item.Quantity); err != nil {
				return err
			}
		}
		// In the order of their locks.
		products := productsOf(items)
		slices.Sort(products)
		for _, id := range slices.Compact(products) {
			if err := storeAvailable(ctx, tx, stock[id]); err != nil {
				return err
			}
		}
		reservation = insertReservation(tx, orderID, Reserved, items)
		return nil
	})
	return reservation, err
}

func givenUp() error {
	return refusal.New(codes.FailedPrecondition, "RESERVATION_RELEASED", "the order has given up its reservation")
}
