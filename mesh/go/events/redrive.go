package events

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"weft.local/weft/mesh/go/rpc/refusal"
	"weft.local/weft/mesh/go/storage"
	"weft.local/weft/mesh/go/telemetry"
)

// What an operator does with dead letters; neither the stream nor NATS is needed. Replay and drop claim the event's
// inbox row in the transaction that settles the dead letter. So a delivery that comes at the same time, or later, is a
// duplicate, and a second replay finds the effect committed.

// deadLetter is a row of dead_letters.
type deadLetter struct {
	ID string
	failedDelivery
	Cause, State            string
	Attempts                int
	History                 []failedTry
	FirstSeenAt, LastFailed time.Time
	DeadAt, SettledAt       *time.Time
	SettledBy               *string
}

const selectDeadLetters = `select id::text, consumer, event_id, type, subject, key, payload, headers, cause, attempts,
	history, state, stream, stream_sequence, first_seen_at, last_failed_at, dead_at, settled_at, settled_by from dead_letters `

func scanDeadLetter(row pgx.CollectableRow) (*deadLetter, error) {
	d := &deadLetter{}
	return d, row.Scan(&d.ID, &d.consumer, &d.eventID, &d.typeName, &d.subject, &d.key, &d.payload, &d.headers, &d.Cause,
		&d.Attempts, &d.History, &d.State, &d.stream, &d.streamSequence, &d.FirstSeenAt, &d.LastFailed, &d.DeadAt,
		&d.SettledAt, &d.SettledBy)
}

// findDeadLetter refuses with DEAD_LETTER_NOT_FOUND.
func findDeadLetter(ctx context.Context, db *storage.Database, id string) (*deadLetter, error) {
	rows, err := db.Query(ctx, selectDeadLetters+"where id = $1", id)
	if err != nil {
		return nil, err
	}
	letter, err := pgx.CollectExactlyOneRow(rows, scanDeadLetter)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, refusal.New(codes.NotFound, "DEAD_LETTER_NOT_FOUND", "no dead letter of this service has the id")
	}
	return letter, err
}

// eventOf is the event that a dead letter holds.
func (r *Reader) eventOf(letter *deadLetter) (*received, proto.Message, error) {
	header := nats.Header{}
	for name, value := range letter.headers {
		if name == "nats-msg-id" {
			name = "Nats-Msg-Id"
		}
		header[name] = []string{value}
	}
	event, err := decodeCloudEvent(header, letter.payload)
	if err != nil {
		return nil, nil, err
	}
	body := r.fresh()
	return event, body, decodeBody(r.contract, event, body)
}

// replayDeadLetter handles the event of a dead letter once more; one that is replayed already is answered as it is. It
// refuses with DEAD_LETTER_NOT_FOUND, DEAD_LETTER_DROPPED, and REPLAY_FAILED with the cause, which is also in the
// history then.
func (s *deadLetterRPC) replay(ctx context.Context, id, actor string) (*deadLetter, error) {
	letter, err := findDeadLetter(ctx, s.db, id)
	if err != nil || letter.State == "replayed" {
		return letter, err
	}
	if letter.State == "dropped" {
		return nil, isDropped()
	}
	reader := s.readerOf(letter)
	if reader == nil {
		return nil, replayFailed(fmt.Errorf("this service has no consumer %s any more", letter.consumer))
	}
	audit := []any{"audit", "dead-letter", "action", "replay", "id", id, "actor", actor}
	if err := reader.replay(ctx, letter, actor); err != nil {
		if isTransient(err) {
			return nil, err
		}
		var failure *handlerFailure
		most := 0
		if errors.As(err, &failure) {
			err = failure.cause
			if !isUseless(err) {
				most = reader.policy.maxDeliver
			}
		}
		if _, _, err := recordFailure(ctx, s.db, letter.failedDelivery, err, most, actor); err != nil {
			return nil, err
		}
		s.log.WarnContext(ctx, "a replay failed", append(audit, telemetry.Err(err))...)
		return nil, replayFailed(err)
	}
	replayed, err := findDeadLetter(ctx, s.db, id)
	if err == nil && replayed.State == "dropped" {
		return nil, isDropped() // meanwhile: nothing was handled
	}
	s.log.InfoContext(ctx, "a dead letter is replayed", audit...)
	return replayed, err
}

func (r *Reader) replay(ctx context.Context, letter *deadLetter, actor string) error {
	event, body, err := r.eventOf(letter)
	if err != nil {
		return err
	}
	_, err = r.handleOnce(ctx, try{
		event: event, body: body, attempt: letter.Attempts + 1, headers: letter.headers, keepFailures: true,
		settle: func(tx *storage.Tx) { settle(tx, letter.ID, "replayed", actor) },
	})
	return err
}

// drop gives an event up for good; one that is dropped already is answered as it is. It refuses with
// DEAD_LETTER_NOT_FOUND and DEAD_LETTER_REPLAYED.
func (s *deadLetterRPC) drop(ctx context.Context, id, actor string) (*deadLetter, error) {
	letter, err := findDeadLetter(ctx, s.db, id)
	if err != nil {
		return nil, err
	}
	isOpen := letter.State != "replayed" && letter.State != "dropped"
	if isOpen {
		err := s.db.Once(ctx, nil, func(tx *storage.Tx) error {
			if _, err := claimEvent(ctx, tx, letter.consumer, letter.eventID, 5_000, true); err != nil {
				return err
			}
			settle(tx, id, "dropped", actor)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	dropped, err := findDeadLetter(ctx, s.db, id)
	if err == nil && dropped.State == "replayed" {
		return nil, refusal.New(codes.FailedPrecondition, "DEAD_LETTER_REPLAYED", "the dead letter is replayed")
	}
	if isOpen {
		s.log.InfoContext(ctx, "a dead letter is dropped", "audit", "dead-letter", "action", "drop", "id", id, "actor", actor)
	}
	return dropped, err
}

func isDropped() error {
	return refusal.New(codes.FailedPrecondition, "DEAD_LETTER_DROPPED", "the dead letter is dropped")
}

func settle(tx *storage.Tx, id, state, actor string) {
	tx.Later(`update dead_letters set state = $1, settled_at = now(), settled_by = $2
		where id = $3 and state in ('retrying', 'open')`, state, actor, id)
}

func replayFailed(cause error) error {
	return refusal.New(codes.FailedPrecondition, "REPLAY_FAILED", "the replay failed: "+causeOf(cause))
}
