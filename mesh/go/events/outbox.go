package events

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"weft.local/weft/mesh/go/storage"
	"weft.local/weft/mesh/go/telemetry"
)

// payloadLimit in bytes: a message with its headers must fit the broker's 1 MiB.
const payloadLimit = 512 * 1024

// headers are what an event carries from the request that caused it.
type headers struct {
	RequestID   string `json:"requestId,omitempty"`
	Traceparent string `json:"traceparent,omitempty"`
}

// Record adds an event to the running transaction: both commit or neither does.
//
// The row is inserted by the last statement before COMMIT, after every UPDATE. A transaction that changes an
// aggregate holds its row lock by then and draws the row's position under it: so the positions of one key stand in
// the order in which its transactions commit.
func Record(ctx context.Context, tx *storage.Tx, event proto.Message) error {
	message := event.ProtoReflect()
	contract, err := contractOf(message.Descriptor())
	if err != nil {
		return err
	}
	key := message.Get(contract.key).String()
	if key == "" {
		return fmt.Errorf("event %s: field %s orders events and must not be empty", contract.typeName, contract.key.Name())
	}
	payload, err := proto.Marshal(event)
	if err != nil {
		return err
	}
	if len(payload) > payloadLimit {
		return fmt.Errorf("event %s has %d bytes; at most %d are allowed", contract.typeName, len(payload), payloadLimit)
	}
	var version *string
	if contract.version != nil {
		text := message.Get(contract.version).String()
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return fmt.Errorf("event %s: version %s", contract.typeName, text)
		}
		version = &text
	}
	id := uuid.Must(uuid.NewV7()).String()
	carried, traced := originOf(ctx, id, contract.subject)
	text, err := json.Marshal(carried)
	if err != nil {
		return err
	}
	rows := storage.AtCommit(tx, "outbox", insertRows)
	rows.values = append(rows.values, id, contract.typeName, contract.subject, contract.stream, key, version,
		payload, string(text), partitionOf(key), time.Now().Truncate(time.Millisecond))
	rows.traced = append(rows.traced, traced)
	return nil
}

// originOf makes the ids that go along with an event: of a span of its own where there is a trace.
func originOf(ctx context.Context, id, subject string) (headers, func()) {
	request := telemetry.FromContext(ctx)
	if request == nil {
		return headers{}, func() {}
	}
	if request.Trace == nil {
		return headers{request.ID, request.Traceparent()}, func() {}
	}
	part := telemetry.Part{
		Type: createSpan(subject), SpanID: telemetry.NewSpanID(), ParentSpanID: request.SpanID, StartedAt: time.Now(),
		More: []telemetry.Attribute{{Name: "messaging.message.id", Value: id}},
	}
	return headers{request.ID, request.ChildTraceparent(part.SpanID)}, func() { request.Trace.Add(part) }
}

// pending rows of one transaction.
type pending struct {
	values []any
	traced []func()
}

const columns = 10

func insertRows(tx *storage.Tx, rows *pending) {
	var places []string
	for i := 0; i < len(rows.values); i += columns {
		p := func(n int) string { return "$" + strconv.Itoa(i+n) }
		places = append(places, fmt.Sprintf("(%s, %s, %s, %s, %s, %s::numeric, %s, %s::jsonb, %s, %s)",
			p(1), p(2), p(3), p(4), p(5), p(6), p(7), p(8), p(9), p(10)))
	}
	tx.Later(`insert into outbox (id, type, subject, stream, key, version, payload, headers, partition, created_at)
		values `+strings.Join(places, ", "), rows.values...)
	for _, traced := range rows.traced {
		traced()
	}
	tx.AfterCommit(func() { announce(tx.Pool()) })
}
