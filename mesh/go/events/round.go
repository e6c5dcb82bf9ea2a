package events

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"weft.local/weft/mesh/go/failpoint"
	"weft.local/weft/mesh/go/storage"
)

const (
	// lockSpace is the first half of the advisory locks' key ("outb"); the second is the partition.
	lockSpace = 0x6f757462
	rowLimit  = 256
	// roundLimit is when a round begins no other event, so that its marks are safe from the idle limit.
	roundLimit = 5 * time.Second
	// partitionLimit leaves some partitions to other replicas.
	partitionLimit = partitions / 2
)

// hasUnpublished is what an idle relay asks, in place of a transaction.
func hasUnpublished(ctx context.Context, db *storage.Database, blocked []string) (waits bool, err error) {
	err = db.QueryRow(ctx,
		"select exists (select 1 from outbox where published_at is null and not key = any($1))", blocked).Scan(&waits)
	return waits, err
}

// outcome is what became of one round.
type outcome struct {
	published int
	// failed has the first failure of each key; later events of that key were left alone.
	failed map[string]error
}

type mark struct {
	id       string
	sequence int64
}

// publishRound takes some partitions for itself, publishes what is unpublished in them, and marks what the stream
// acknowledged, in one transaction. Events of one key go out one after the other, keys side by side. A crash
// between acknowledgement and commit repeats the event with the same Nats-Msg-Id: the stream drops it within two
// minutes, the readers' inboxes drop it later.
//
// giveUp is asked before each event; true ends the round early.
func publishRound(
	ctx context.Context, db *storage.Database, blocked []string,
	publish func(context.Context, *outgoing) (sequence int64, err error), giveUp func() bool,
) (*outcome, error) {
	done := &outcome{failed: map[string]error{}}
	// A relay that is stopped in its midst loses its locks, so that another one can go on. A lost mark only repeats an
	// event: no need to wait for the disk.
	settings := []string{"idle_in_transaction_session_timeout = '15s'", "synchronous_commit = off"}
	err := db.Once(ctx, settings, func(tx *storage.Tx) error {
		held, err := lockSomePartitions(ctx, tx, blocked)
		if err != nil || len(held) == 0 {
			return err
		}
		rows, err := unpublishedRows(ctx, tx, held, blocked)
		if err != nil {
			return err
		}
		marks := publishRows(ctx, rows, publish, giveUp, done)
		if len(marks) > 0 {
			ids, sequences := make([]string, len(marks)), make([]int64, len(marks))
			for i, each := range marks {
				ids[i], sequences[i] = each.id, each.sequence
			}
			tx.Later(`update outbox set published_at = clock_timestamp(), stream_sequence = ack.sequence
				from unnest($1::uuid[], $2::bigint[]) ack (id, sequence) where outbox.id = ack.id`, ids, sequences)
		}
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		done.published = len(marks)
		failpoint.Pass("outbox.commit.before")
		return nil
	})
	if err == nil {
		failpoint.Pass("outbox.commit.after")
	}
	return done, err
}

func publishRows(
	ctx context.Context, rows []*outgoing,
	publish func(context.Context, *outgoing) (int64, error), giveUp func() bool, done *outcome,
) []mark {
	byKey := map[string][]*outgoing{}
	for _, row := range rows {
		byKey[row.Key] = append(byKey[row.Key], row)
	}
	end := time.Now().Add(roundLimit)
	var mutex sync.Mutex
	var marks []mark
	var keys sync.WaitGroup
	for _, sameKey := range byKey {
		keys.Go(func() {
			for _, row := range sameKey {
				if giveUp() || time.Now().After(end) {
					return
				}
				failpoint.Pass("outbox.publish.before")
				sequence, err := publish(ctx, row)
				mutex.Lock()
				if err != nil {
					done.failed[row.Key] = err
				} else {
					marks = append(marks, mark{row.ID, sequence})
				}
				mutex.Unlock()
				if err != nil {
					return
				}
				failpoint.Pass("outbox.publish.after")
			}
		})
	}
	keys.Wait()
	return marks
}

func lockSomePartitions(ctx context.Context, tx *storage.Tx, blocked []string) ([]int16, error) {
	rows, err := tx.Query(ctx, `select partition from (
		  select partition from (
		    select distinct partition from outbox where published_at is null and not key = any($1)
		  ) pending order by random() limit $2
		) drawn where pg_try_advisory_xact_lock($3::integer, partition::integer)`,
		blocked, partitionLimit, lockSpace)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int16])
}

// unpublishedRows is a statement of its own, after the locks: it must see what their last holder has marked.
func unpublishedRows(ctx context.Context, tx *storage.Tx, held []int16, blocked []string) ([]*outgoing, error) {
	rows, err := tx.Query(ctx, `select id::text, type, subject, stream, key, version::text, payload, headers, created_at
		from outbox
		where published_at is null and partition = any($1) and not key = any($2)
		order by position limit $3 for update skip locked`, held, blocked, rowLimit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*outgoing, error) {
		o := &outgoing{}
		err := row.Scan(&o.ID, &o.Type, &o.Subject, &o.Stream, &o.Key, &o.Version, &o.Payload, &o.headers, &o.RecordedAt)
		return o, err
	})
}

// untilAllAreFree lets statements wait longer than a round takes.
func untilAllAreFree() []string {
	limit := strconv.FormatInt(storage.LongestStatement.Milliseconds(), 10)
	return []string{"lock_timeout = " + limit, "statement_timeout = " + limit}
}

// lockAllPartitions waits until no relay publishes, and keeps all of them from it until the transaction ends.
func lockAllPartitions(ctx context.Context, tx *storage.Tx) error {
	for partition := range partitions {
		tx.Later("select pg_advisory_xact_lock($1::integer, $2::integer)", lockSpace, partition)
	}
	return tx.Flush(ctx)
}
