package main

import (
	"context"

	"weft.local/weft/mesh/go/storage"
)

// adjustStock adds pieces to a product's stock or takes some away; the first adjustment starts the stock. It refuses
// with OUT_OF_STOCK when fewer are available than are taken away.
func adjustStock(ctx context.Context, db *storage.Database, productID string, delta int32) (stock *Stock, err error) {
	err = db.InTransaction(ctx, func(tx *storage.Tx) error {
		locked, err := lockStock(ctx, tx, []string{productID})
		if err != nil {
			return err
		}
		if stock = locked[productID]; stock == nil {
			stock = insertStock(tx, productID)
		}
		if err := stock.adjust(delta); err != nil {
			return err
		}
		return storeAvailable(ctx, tx, stock)
	})
	return stock, err
}
