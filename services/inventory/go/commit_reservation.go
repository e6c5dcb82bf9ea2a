package main

import (
	"context"

	"google.golang.org/grpc/codes"

	"weft.local/weft/mesh/go/rpc/refusal"
	"weft.local/weft/mesh/go/storage"
)

// commitReservation turns an order's reservation into a sale, which nobody need be told: as many can be ordered as
// before. A repeat changes nothing. It refuses with RESERVATION_NOT_FOUND and RESERVATION_RELEASED.
func commitReservation(
	ctx context.Context, db *storage.Database, orderID string,
) (reservation *Reservation, err error) {
	err = db.InTransaction(ctx, func(tx *storage.Tx) error {
		if reservation, err = lockReservation(ctx, tx, orderID); err != nil {
			return err
		}
		if reservation == nil {
			return refusal.New(codes.NotFound, "RESERVATION_NOT_FOUND", "the order has no reservation")
		}
		switch reservation.Status {
		case Committed:
			return nil
		case Released:
			return givenUp()
		}
		if err := changeItems(ctx, tx, reservation.Items, (*Pieces).commit, storeChange); err != nil {
			return err
		}
		updateReservation(tx, reservation, Committed)
		return nil
	})
	return reservation, err
}
