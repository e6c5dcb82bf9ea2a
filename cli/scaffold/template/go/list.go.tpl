package main

import (
	"context"

	"github.com/google/uuid"

	"weft.local/weft/mesh/go/paging"
	"weft.local/weft/mesh/go/storage"
)

const defaultPageSize = 20

// list is a page of a user's {{words_plural}}, newest first (AIP-158), and the token of the next one. Ids are UUIDv7
// and so in order of time. It refuses with PAGE_TOKEN_INVALID.
func list(
	ctx context.Context, db *storage.Database, ownerID string, pageSize int, pageToken string,
) (rows []*Row, next string, err error) {
	if pageSize == 0 {
		pageSize = defaultPageSize
	}
	filters := []string{ownerID}
	before := uuid.Max
	if _, err := paging.Read(filters, pageToken, &before); err != nil {
		return nil, "", err
	}
	rows, err = findBefore(ctx, db, ownerID, before, pageSize+1)
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		next = paging.Token(filters, rows[pageSize-1].ID)
	}
	return rows, next, err
}
