package events

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"weft.local/weft/mesh/go/storage"
)

const (
	pruneBatch = 1_000
	// inboxRetention outlives the message, which may come again for as long as its stream keeps it.
	inboxRetention = retention + 24*time.Hour
	// retryingLimit is when a row that is "retrying" has lost its message: an operator has to look.
	retryingLimit = 24 * time.Hour
)

// prune deletes published outbox rows after 7 days and inbox rows 8 days after the last delivery, in small batches,
// and turns failures that nobody retries any more into dead letters. Safe to run concurrently.
func prune(ctx context.Context, db *storage.Database) error {
	rows, err := db.Query(ctx, "select stream from outbox_streams")
	if err != nil {
		return err
	}
	streams, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, stream := range streams {
		// Sequences grow with time: the lowest ones tell whether there is anything to delete.
		err := repeat(ctx, db, `delete from outbox where published_at < now() - $1::interval and id in (
			select id from outbox where stream = $2 and published_at is not null order by stream_sequence limit $3
		)`, retention, stream, pruneBatch)
		if err != nil {
			return err
		}
	}
	err = repeat(ctx, db, `delete from inbox where (consumer, event_id) in (
		select consumer, event_id from inbox where seen_at < now() - $1::interval order by seen_at limit $2
	)`, inboxRetention, pruneBatch)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, `update dead_letters set state = 'open', dead_at = now()
		where state = 'retrying' and last_failed_at < now() - $1::interval`, retryingLimit)
	return err
}

func repeat(ctx context.Context, db *storage.Database, statement string, arguments ...any) error {
	for {
		result, err := db.Exec(ctx, statement, arguments...)
		if err != nil || result.RowsAffected() < pruneBatch {
			return err
		}
	}
}
