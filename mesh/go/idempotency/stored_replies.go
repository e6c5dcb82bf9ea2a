package idempotency

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"weft.local/weft/mesh/go/rpc/refusal"
	"weft.local/weft/mesh/go/storage"
)

// Tables makes the table of stored replies, for a service's migration.
//
//go:embed tables.sql
var Tables string

const (
	// retention of a reply (draft-ietf-httpapi-idempotency-key-header, section 2.3), as an interval of PostgreSQL.
	retention  = "24 hours"
	pruneBatch = 1_000
	// lockNotAvailable is the SQLSTATE of a wait that lock_timeout has ended.
	lockNotAvailable = "55P03"
)

// errAnsweredMeanwhile tells that another call with the same key has committed first; this one must be rolled back.
var errAnsweredMeanwhile = errors.New("answered meanwhile")

// findReply is the reply that a call with the same user, route and key got; nil when there was none in 24 hours. It
// refuses with IDEMPOTENCY_KEY_REUSED when that call asked for something else.
func findReply(ctx context.Context, db *storage.Database, call *keyedCall) ([]byte, error) {
	var fingerprint, reply []byte
	err := db.QueryRow(ctx, `select fingerprint, reply from stored_replies
		where user_id = $1 and route = $2 and key = $3 and created_at > now() - interval '`+retention+`'`,
		call.User, call.Route, call.Key.Key).Scan(&fingerprint, &reply)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(fingerprint, call.fingerprint) {
		return nil, refusal.New(codes.InvalidArgument, "IDEMPOTENCY_KEY_REUSED",
			"the Idempotency-Key was used for another request").
			About("Idempotency-Key", "use a new value for a new request")
	}
	return reply, nil
}

// insertReply stores a reply in the running transaction. It waits while another transaction stores one under the same
// key.
func insertReply(ctx context.Context, tx *storage.Tx, call *keyedCall, reply []byte) error {
	var inserted int
	err := tx.QueryRow(ctx, `insert into stored_replies as kept (user_id, route, key, fingerprint, reply)
		values ($1, $2, $3, $4, $5)
		on conflict (user_id, route, key) do update
		  set fingerprint = excluded.fingerprint, reply = excluded.reply, created_at = now()
		  where kept.created_at <= now() - interval '`+retention+`'
		returning 1`, call.User, call.Route, call.Key.Key, call.fingerprint, reply).Scan(&inserted)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return errAnsweredMeanwhile
	case err != nil && storage.ErrorType(err) == lockNotAvailable:
		return inFlight()
	}
	return err
}

// inFlight answers a duplicate whose first call has not ended.
func inFlight() error {
	return refusal.New(codes.Aborted, "IDEMPOTENCY_KEY_IN_FLIGHT",
		"a request with this Idempotency-Key is being processed; send it again later")
}

// PruneNowAndThen deletes replies that are older than 24 hours, in small batches, until ctx ends. Safe to run
// concurrently.
func PruneNowAndThen(ctx context.Context, db *storage.Database, log *slog.Logger) {
	storage.PruneNowAndThen(ctx, log, "stored replies were not pruned", func(ctx context.Context) error {
		return prune(ctx, db)
	})
}

func prune(ctx context.Context, db *storage.Database) error {
	for {
		result, err := db.Exec(ctx, `delete from stored_replies where (user_id, route, key) in (
			select user_id, route, key from stored_replies where created_at <= now() - interval '`+retention+`'
			order by created_at limit $1)`, pruneBatch)
		if err != nil || result.RowsAffected() < pruneBatch {
			return err
		}
	}
}
