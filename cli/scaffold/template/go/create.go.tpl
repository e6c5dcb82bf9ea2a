package main

import (
	"context"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	contract "weft.local/weft/gen/go/{{dir}}"
	"weft.local/weft/mesh/go/events"
	"weft.local/weft/mesh/go/storage"
)

// create stores {{a_words}}, its event and the reply in one transaction: none exists alone. keepReply is called with
// what was created, in that transaction. It refuses with TITLE_BLANK.
func create(
	ctx context.Context, db *storage.Database, wanted Row, keepReply func(tx *storage.Tx, created *Row) error,
) error {
	title, err := titleOf(wanted.Title)
	if err != nil {
		return err
	}
	return db.InTransaction(ctx, func(tx *storage.Tx) error {
		created := wanted
		created.ID, created.Title = uuid.Must(uuid.NewV7()).String(), title
		created.CreatedAt = time.Now().Truncate(time.Millisecond)
		insert(tx, &created)
		if err := keepReply(tx, &created); err != nil {
			return err
		}
		return events.Record(ctx, tx, &contract.{{GoThing}}Created{
			{{GoThing_}}Id: created.ID, OwnerId: created.OwnerID, CreatedAt: timestamppb.New(created.CreatedAt),
		})
	})
}
