package events

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	"weft.local/weft/mesh/go/failpoint"
	"weft.local/weft/mesh/go/storage"
	"weft.local/weft/mesh/go/telemetry"
)

// handlerFailure is what a handler returned; everything else that goes wrong around it is returned as it is.
type handlerFailure struct {
	cause error
	// lost tells that the handler's transaction has lost its connection.
	lost bool
}

func (f *handlerFailure) Error() string { return "the handler failed: " + f.cause.Error() }
func (f *handlerFailure) Unwrap() error { return f.cause }

// try is one try to handle an event.
type try struct {
	event   *received
	body    proto.Message
	attempt int
	headers map[string]string
	// settle ends the transaction, also when the event is a duplicate: what must commit with the effect. Optional.
	settle func(tx *storage.Tx)
	// keepFailures leaves the record of failed tries alone: settle has it.
	keepFailures bool
}

// handleOnce runs the handler if this consumer has not handled the event before: the inbox row that says so commits
// with the effect. It tells whether the event was new.
func (r *Reader) handleOnce(ctx context.Context, t try) (fresh bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.policy.ackWait)
	defer cancel()
	limit := min(r.policy.ackWait, storage.LongestStatement)
	err = r.db.Once(ctx, nil, func(tx *storage.Tx) error {
		fresh, err = claimEvent(ctx, tx, r.consumer, t.event.id, int(limit.Milliseconds()), t.keepFailures)
		if err != nil {
			return err
		}
		if fresh {
			if err := r.callHandler(ctx, tx, t); err != nil {
				return err
			}
		}
		if t.settle != nil {
			t.settle(tx)
		}
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		if fresh {
			failpoint.Pass("inbox.commit.before")
		}
		return nil
	})
	if err == nil && fresh {
		failpoint.Pass("inbox.commit.after")
	}
	return fresh, err
}

func (r *Reader) callHandler(ctx context.Context, tx *storage.Tx, t try) error {
	about := About{
		ID: t.event.id, Key: t.event.key, Version: t.event.version, Time: t.event.time, Attempt: t.attempt, Headers: t.headers,
	}
	err := telemetry.InSpan(ctx, handleSpan(r.consumer), errorType, func(ctx context.Context) (err error) {
		defer func() {
			if problem := recover(); problem != nil {
				err = fmt.Errorf("panic: %v", problem)
			}
		}()
		if err := r.handle(ctx, tx, t.body, about); err != nil {
			return err
		}
		return tx.Flush(ctx) // what waits is the handler's, too
	})
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &handlerFailure{cause: fmt.Errorf("the handler took longer than %v", r.policy.ackWait)}
	}
	if err != nil {
		return &handlerFailure{cause: err, lost: tx.IsLost()}
	}
	return nil
}

// claimEvent claims an event for the running transaction; false when its effect is committed already. It waits while
// another transaction holds the same claim. When the claim is new, the event's failures so far are settled with it: a
// retried event leaves no trace, a dead letter counts as replayed.
func claimEvent(
	ctx context.Context, tx *storage.Tx, consumer, eventID string, statementTimeoutMs int, keepFailures bool,
) (fresh bool, err error) {
	var limit string
	err = tx.QueryRow(ctx, `with claim as (
		  insert into inbox (consumer, event_id) values ($1, $2)
		  on conflict (consumer, event_id) do update set seen_at = now()
		  returning xmax = 0 as fresh
		), settled as (
		  select fresh and not $3 as now from claim
		), retried as (
		  delete from dead_letters
		  where consumer = $1 and event_id = $2 and state = 'retrying' and (select now from settled)
		), replayed as (
		  update dead_letters set state = 'replayed', settled_at = now(), settled_by = 'redelivery'
		  where consumer = $1 and event_id = $2 and state = 'open' and (select now from settled)
		)
		select fresh, set_config('statement_timeout', $4, true) from claim`,
		consumer, eventID, keepFailures, strconv.Itoa(statementTimeoutMs)).Scan(&fresh, &limit)
	return fresh, err
}
