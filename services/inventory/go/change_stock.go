package main

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	inventoryv1 "weft.local/weft/gen/go/shop/inventory/v1"
	"weft.local/weft/mesh/go/events"
	"weft.local/weft/mesh/go/storage"
)

// storeChange stores a changed stock row, which is locked, in the caller's transaction.
func storeChange(_ context.Context, tx *storage.Tx, stock *Stock) error {
	stock.Version++
	stock.UpdatedAt = now()
	updateStock(tx, stock)
	return nil
}

// storeAvailable stores a stock row of which more or fewer pieces can be ordered than before, and tells the others.
func storeAvailable(ctx context.Context, tx *storage.Tx, stock *Stock) error {
	if err := storeChange(ctx, tx, stock); err != nil {
		return err
	}
	return events.Record(ctx, tx, &inventoryv1.StockChanged{
		ProductId: stock.ProductID,
		Available: stock.Available,
		Version:   stock.Version,
		ChangedAt: timestamppb.New(stock.UpdatedAt),
	})
}

// changeItems locks the stock of a reservation's items, changes each and stores it.
func changeItems(
	ctx context.Context, tx *storage.Tx, items []Item,
	change func(*Pieces, int32), store func(context.Context, *storage.Tx, *Stock) error,
) error {
	stock, err := lockStock(ctx, tx, productsOf(items))
	if err != nil {
		return err
	}
	for _, item := range items {
		row := stock[item.ProductID]
		if row == nil {
			return fmt.Errorf("stock of %s is gone although an order has pieces of it", item.ProductID)
		}
		change(&row.Pieces, item.Quantity)
		if err := store(ctx, tx, row); err != nil {
			return err
		}
	}
	return nil
}

func productsOf(items []Item) []string {
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.ProductID
	}
	return ids
}
