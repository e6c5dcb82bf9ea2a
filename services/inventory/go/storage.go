package main

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"weft.local/weft/mesh/go/events"
	"weft.local/weft/mesh/go/storage"
)

//go:embed migrations/20261122000000_initial.sql
var initial string

// migrations have the names of those in ../migrations, which make the same tables.
var migrations = []storage.Migration{
	{Name: "Migration20261122000000Initial", SQL: initial + events.Tables},
}

// Stock is the row of a product.
type Stock struct {
	Pieces
	Version   int64
	UpdatedAt time.Time
}

// Status of a reservation.
type Status string

const (
	Reserved  Status = "RESERVED"
	Committed Status = "COMMITTED"
	Released  Status = "RELEASED"
)

// Reservation is the pieces of an order, set aside or sold or put back. One order has one.
type Reservation struct {
	OrderID string
	Status  Status
	Items   []Item
}

const selectStock = "select product_id::text, available, reserved, sold, version, updated_at from stock "

func scanStock(row pgx.CollectableRow) (*Stock, error) {
	s := &Stock{}
	return s, row.Scan(&s.ProductID, &s.Available, &s.Reserved, &s.Sold, &s.Version, &s.UpdatedAt)
}

// findStock is nil for a product without stock.
func findStock(ctx context.Context, db *storage.Database, productID string) (*Stock, error) {
	rows, err := db.Query(ctx, selectStock+"where product_id = $1", productID)
	if err != nil {
		return nil, err
	}
	stock, err := pgx.CollectExactlyOneRow(rows, scanStock)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return stock, err
}

// lockStock locks the stock of these products, always in the same order, so that two orders cannot deadlock.
func lockStock(ctx context.Context, tx *storage.Tx, productIDs []string) (map[string]*Stock, error) {
	rows, err := tx.Query(ctx, selectStock+"where product_id = any($1::uuid[]) order by product_id for update", productIDs)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, scanStock)
	byID := make(map[string]*Stock, len(list))
	for _, stock := range list {
		byID[stock.ProductID] = stock
	}
	return byID, err
}

// insertStock begins the stock of a product, with nothing.
func insertStock(tx *storage.Tx, productID string) *Stock {
	stock := &Stock{Pieces: Pieces{ProductID: productID}, UpdatedAt: now()}
	tx.Later("insert into stock (product_id, available, reserved, sold, version, updated_at) values ($1, 0, 0, 0, 0, $2)",
		productID, stock.UpdatedAt)
	return stock
}

// updateStock stores a row that is locked.
func updateStock(tx *storage.Tx, s *Stock) {
	tx.Later(`update stock set available = $1, reserved = $2, sold = $3, version = $4, updated_at = $5
		where product_id = $6`, s.Available, s.Reserved, s.Sold, s.Version, s.UpdatedAt, s.ProductID)
}

// lockReservation is nil when the order has none.
func lockReservation(ctx context.Context, tx *storage.Tx, orderID string) (*Reservation, error) {
	r := &Reservation{OrderID: orderID}
	err := tx.QueryRow(ctx, "select status, items from reservations where order_id = $1 for update", orderID).
		Scan(&r.Status, &r.Items)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return r, err
}

// insertReservation stores the reservation of an order that has none.
func insertReservation(tx *storage.Tx, orderID string, status Status, items []Item) *Reservation {
	at := now()
	tx.Later("insert into reservations (order_id, status, items, created_at, updated_at) values ($1, $2, $3, $4, $4)",
		orderID, status, items, at)
	return &Reservation{OrderID: orderID, Status: status, Items: items}
}

// updateReservation changes the status of a reservation that is locked.
func updateReservation(tx *storage.Tx, r *Reservation, status Status) {
	tx.Later("update reservations set status = $1, updated_at = $2 where order_id = $3", status, now(), r.OrderID)
	r.Status = status
}

// now has the milliseconds that the other implementation has.
func now() time.Time { return time.Now().Truncate(time.Millisecond) }
