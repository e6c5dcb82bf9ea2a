package events

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"weft.local/weft/mesh/go/storage"
	"weft.local/weft/mesh/go/telemetry"
)

const (
	causeLimit   = 2_000
	historyLimit = 20
)

// failedDelivery is a message whose handling failed.
type failedDelivery struct {
	consumer, eventID, typeName, subject, key string
	payload                                   []byte
	headers                                   map[string]string
	stream                                    string
	streamSequence                            int64
}

// failedTry is an entry of a dead letter's history.
type failedTry struct {
	At    string `json:"at"`
	Cause string `json:"cause"`
	// Actor is who replayed it; "" for a delivery.
	Actor string `json:"actor,omitempty"`
}

// recordFailure adds a failed try of an event, outside the handler's transaction, which has been rolled back. It gives
// the event up after mostAttempts; 0 gives it up at once. It answers the failed tries so far, and whether the event is
// now (or was already) dead.
//
// Failures are kept in the reader's own database, so that nothing depends on how long the stream keeps the message.
func recordFailure(
	ctx context.Context, db *storage.Database, delivery failedDelivery, problem error, mostAttempts int, actor string,
) (attempts int, dead bool, err error) {
	cause := causeOf(problem)
	at := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	history, err := json.Marshal([]failedTry{{At: at, Cause: cause, Actor: storable(actor)}})
	if err != nil {
		return 0, false, err
	}
	kept := make(map[string]string, len(delivery.headers))
	for name, value := range delivery.headers {
		kept[storable(name)] = storable(value)
	}
	headers, err := json.Marshal(kept)
	if err != nil {
		return 0, false, err
	}
	payload := delivery.payload
	if payload == nil {
		payload = []byte{}
	}
	var state string
	err = db.QueryRow(ctx, `insert into dead_letters as d (id, consumer, event_id, type, subject, key, payload, headers,
		  cause, attempts, history, state, stream, stream_sequence, dead_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, 1, $10::jsonb,
		  case when 1 >= $11::int then 'open' else 'retrying' end, $12, $13, case when 1 >= $11::int then now() end)
		on conflict (consumer, event_id) do update set
		  cause = excluded.cause,
		  attempts = d.attempts + 1,
		  history = (case when jsonb_array_length(d.history) >= $14::int then d.history - 0 else d.history end)
		    || excluded.history,
		  state = case when d.state = 'retrying' and d.attempts + 1 < $11::int then 'retrying'
		               when d.state = 'dropped' then 'dropped'
		               when d.state = 'replayed' and d.settled_at > now() - interval '8 days' then 'replayed'
		               else 'open' end,
		  dead_at = case when d.attempts + 1 >= $11::int then coalesce(d.dead_at, now()) end,
		  stream_sequence = excluded.stream_sequence,
		  last_failed_at = now()
		returning attempts, state`,
		uuid.Must(uuid.NewV7()), delivery.consumer, storable(delivery.eventID), storable(delivery.typeName),
		storable(delivery.subject), storable(delivery.key), payload, string(headers), cause, string(history),
		mostAttempts, delivery.stream, delivery.streamSequence, historyLimit).Scan(&attempts, &state)
	return attempts, state != "retrying", err
}

// failuresOf is the number of failed tries of an event so far.
func failuresOf(ctx context.Context, db *storage.Database, consumer, eventID string) (attempts int, err error) {
	err = db.QueryRow(ctx, "select attempts from dead_letters where consumer = $1 and event_id = $2",
		consumer, eventID).Scan(&attempts)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return attempts, err
}

// causeOf is what is kept of an error.
func causeOf(err error) string {
	text := []rune(storable(telemetry.SafeText(err)))
	return string(text[:min(len(text), causeLimit)])
}

// storable leaves out what PostgreSQL does not store as text: a dead letter must never be refused for its content.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
