package main

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"weft.local/weft/mesh/go/events"
	"weft.local/weft/mesh/go/idempotency"
	"weft.local/weft/mesh/go/storage"
)

//go:embed migrations/{{stamp}}_initial.sql
var initial string

var migrations = []storage.Migration{
	{Name: "Migration{{stamp}}Initial", SQL: initial + events.Tables + idempotency.Tables},
}

// Row is {{a_words}} as it is stored.
type Row struct {
	ID, OwnerID, Title, Text string
	CreatedAt                time.Time
}

const selectRows = "select id::text, owner_id::text, title, text, created_at from {{things_}} "

func scan(row pgx.CollectableRow) (*Row, error) {
	r := &Row{}
	return r, row.Scan(&r.ID, &r.OwnerID, &r.Title, &r.Text, &r.CreatedAt)
}

func insert(tx *storage.Tx, r *Row) {
	tx.Later("insert into {{things_}} (id, owner_id, title, text, created_at) values ($1, $2, $3, $4, $5)",
		r.ID, r.OwnerID, r.Title, r.Text, r.CreatedAt)
}

// find is nil where there is none.
func find(ctx context.Context, db *storage.Database, id string) (*Row, error) {
	rows, err := db.Query(ctx, selectRows+"where id = $1", id)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return found, err
}

// findBefore has up to so many of a user, newest first, with ids before this one.
func findBefore(ctx context.Context, db *storage.Database, ownerID string, before uuid.UUID, limit int) ([]*Row, error) {
	rows, err := db.Query(ctx, selectRows+"where owner_id = $1 and id < $2 order by id desc limit $3", ownerID, before, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

// createdBy is how many a user has ever created; written from events only.
func createdBy(ctx context.Context, db *storage.Database, ownerID string) (created int64, err error) {
	err = db.QueryRow(ctx, "select created from {{thing_}}_stats where owner_id = $1", ownerID).Scan(&created)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return created, err
}
