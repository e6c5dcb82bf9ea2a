package main

import (
	"context"

	"weft.local/weft/mesh/go/storage"
)

// releaseReservation puts an order's pieces back, reserved or sold. A repeat changes nothing. An order without a
// reservation gets a released one, so that a Reserve still on its way is refused when it arrives.
func releaseReservation(
	ctx context.Context, db *storage.Database, orderID string,
) (reservation *Reservation, err error) {
	err = db.InTransaction(ctx, func(tx *storage.Tx) error {
		if reservation, err = lockReservation(ctx, tx, orderID); err != nil {
			return err
		}
		if reservation == nil {
			reservation = insertReservation(tx, orderID, Released, []Item{})
			return nil
		}
		if reservation.Status == Released {
			return nil
		}
		back := (*Pieces).putBack
		if reservation.Status == Committed {
			back = (*Pieces).giveBack
		}
		if err := changeItems(ctx, tx, reservation.Items, back, storeAvailable); err != nil {
			return err
		}
		updateReservation(tx, reservation, Released)
		return nil
	})
	return reservation, err
}
