package main

import (
	"context"
	"encoding/json"
	"fmt"

	"weft.local/weft/mesh/go/storage"
)

// seedStock starts the stock of every product of the seed file that has none yet.
func seedStock(ctx context.Context, db *storage.Database, data []byte) error {
	var file struct {
		Products []struct {
			ID    string `json:"id"`
			Stock int32  `json:"stock"`
		} `json:"products"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("the seed file: %w", err)
	}
	for _, product := range file.Products {
		known, err := findStock(ctx, db, product.ID)
		if err != nil {
			return err
		}
		if known != nil {
			continue
		}
		if _, err := adjustStock(ctx, db, product.ID, product.Stock); err != nil {
			return err
		}
	}
	return nil
}
