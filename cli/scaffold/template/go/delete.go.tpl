package main

import (
	"context"

	"weft.local/weft/mesh/go/storage"
)

// remove deletes {{a_words}} of this user. It refuses with {{THING}}_NOT_FOUND, also for somebody else's.
func remove(ctx context.Context, db *storage.Database, id, ownerID string) error {
	deleted, err := db.Exec(ctx, "delete from {{things_}} where id = $1 and owner_id = $2", id, ownerID)
	if err == nil && deleted.RowsAffected() == 0 {
		return notFound()
	}
	return err
}
