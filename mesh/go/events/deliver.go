package events

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"weft.local/weft/mesh/go/failpoint"
	"weft.local/weft/mesh/go/storage"
	"weft.local/weft/mesh/go/telemetry"
)

// deliveryOutcome is what became of a delivery.
type deliveryOutcome string

const (
	handled   deliveryOutcome = "handled"
	duplicate deliveryOutcome = "duplicate"
	retry     deliveryOutcome = "retry"
	dead      deliveryOutcome = "dead"
)

// longestRetry bounds the wait for a database or a broker that is away.
const longestRetry = 15 * time.Second

// deliver handles one delivery of one event, and answers it:
//
//	decode → begin → claim in the inbox → handler → commit → ack
//
// The claim is there already: the effect is, too; ack. The handler fails: roll back, count the failure in
// dead_letters, nak with the contract's backoff; after the last failure, or where trying again is useless, the dead
// letter is open, then term. The database is away or asks for another try: nothing is counted, nak.
//
// Nothing is acknowledged before it is stored; a delivery that ends in any other way comes again after ack_wait.
// Failures are counted in the database, not by the server, whose count starts anew with each consumer and includes
// deliveries that never reached a handler.
func (r *Reader) deliver(ctx context.Context, message jetstream.Msg) deliveryOutcome {
	meta, err := message.Metadata()
	if err != nil { // no message of a stream
		message.Term()
		return dead
	}
	became, delay, err := r.outcomeOf(ctx, message, meta)
	if err != nil { // the database is away, or the connection to NATS: the delivery comes again either way
		became, delay = retry, jitter(min(longestRetry, 125*time.Millisecond<<min(meta.NumDelivered, 10)))
		r.log.WarnContext(ctx, "an event could not be handled now", telemetry.Err(err), "consumer", r.consumer,
			"streamSequence", meta.Sequence.Stream, "retryInMs", delay.Milliseconds())
	}
	// Without an answer the server delivers again after ack_wait.
	switch became {
	case retry:
		message.NakWithDelay(delay)
	case dead:
		message.Term() // nats-server 2.9 takes a reason for a request to redeliver
	default:
		failpoint.Pass("consumer.ack.before")
		message.Ack()
		failpoint.Pass("consumer.ack.after")
	}
	return became
}

func (r *Reader) outcomeOf(
	ctx context.Context, message jetstream.Msg, meta *jetstream.MsgMetadata,
) (deliveryOutcome, time.Duration, error) {
	event, err := decodeCloudEvent(message.Headers(), message.Data())
	body := r.fresh()
	if err == nil {
		err = decodeBody(r.contract, event, body)
	}
	if err != nil {
		// With its id and key where they can be read: what is dropped stays dropped when its body can be read one day.
		return r.failed(ctx, message, meta, event, err)
	}
	// In the trace of what caused the event.
	request := r.tracer.Open(event.requestID, event.traceparent)
	ctx = telemetry.NewContext(ctx, request)
	became, delay, cause, err := r.tryToHandle(ctx, message, meta, event, body)
	if request.Trace != nil {
		ending := telemetry.Ending{Slow: r.policy.ackWait / 2, More: []telemetry.Attribute{
			{Name: "messaging.message.id", Value: event.id}, {Name: "weft.delivery", Value: int64(meta.NumDelivered)},
		}}
		if problem := errors.Join(cause, err); problem != nil {
			ending.Error = errorType(first(cause, err))
		}
		request.Trace.End(request.SpanID, processSpan(message.Subject(), r.consumer), ending)
	}
	return became, delay, err
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// tryToHandle answers with cause why the event was not handled, and with err what says nothing about the event.
func (r *Reader) tryToHandle(
	ctx context.Context, message jetstream.Msg, meta *jetstream.MsgMetadata, event *received, body proto.Message,
) (became deliveryOutcome, delay time.Duration, cause, err error) {
	attempt := 1
	if meta.NumDelivered > 1 {
		failures, err := failuresOf(ctx, r.db, r.consumer, event.id)
		if err != nil {
			return "", 0, nil, err
		}
		attempt += failures
		// Counted before the try: what brings the process down cannot count itself.
		if meta.NumDelivered > uint64(attempt+2*r.policy.maxDeliver) {
			lost := fmt.Errorf("delivered %d times without an outcome", meta.NumDelivered)
			became, delay, err := r.failed(ctx, message, meta, event, lost)
			if became == dead || err != nil {
				return became, delay, lost, err
			}
		}
	}
	began := time.Now()
	fresh, err := r.handleOnce(ctx, try{event: event, body: body, attempt: attempt, headers: flat(message.Headers())})
	if err != nil {
		if isTransient(err) {
			return "", 0, nil, err
		}
		became, delay, failing := r.failed(ctx, message, meta, event, err)
		return became, delay, err, failing
	}
	became = duplicate
	if fresh {
		became = handled
	}
	r.log.InfoContext(ctx, "event", "consumer", r.consumer, "eventId", event.id, "attempt", attempt,
		"outcome", string(became), "ms", telemetry.Milliseconds(time.Since(began)))
	return became, 0, nil, nil
}

// failed counts a failure. event is nil for a message that is none.
func (r *Reader) failed(
	ctx context.Context, message jetstream.Msg, meta *jetstream.MsgMetadata, event *received, problem error,
) (deliveryOutcome, time.Duration, error) {
	var failure *handlerFailure
	if errors.As(problem, &failure) {
		problem = failure.cause
	}
	delivery := failedDelivery{
		consumer: r.consumer, typeName: r.contract.typeName, subject: message.Subject(),
		eventID: fmt.Sprintf("%s:%d@%s", meta.Stream, meta.Sequence.Stream, meta.Timestamp.UTC().Format(time.RFC3339Nano)),
		payload: message.Data(), headers: flat(message.Headers()),
		stream: meta.Stream, streamSequence: int64(meta.Sequence.Stream),
	}
	if event != nil {
		delivery.eventID, delivery.typeName, delivery.key = event.id, event.typeName, event.key
	}
	most := r.policy.maxDeliver
	if isUseless(problem) {
		most = 0
	}
	attempts, isDead, err := recordFailure(ctx, r.db, delivery, problem, most, "")
	if err != nil {
		return "", 0, err
	}
	about := []any{
		telemetry.Err(problem), "consumer", r.consumer, "eventId", delivery.eventID,
		"streamSequence", delivery.streamSequence, "attempts", attempts,
	}
	if isDead {
		r.log.ErrorContext(ctx, "an event is given up; it is in dead_letters", about...)
		return dead, 0, nil
	}
	delay := jitter(r.policy.waitAfter(attempts))
	r.log.WarnContext(ctx, "handling an event failed", append(about, "retryInMs", delay.Milliseconds())...)
	return retry, delay, nil
}

// waitAfter is the contract's wait after so many failures.
func (p *consumerPolicy) waitAfter(failures int) time.Duration {
	return p.backoff[min(failures, len(p.backoff))-1]
}

func isUseless(problem error) bool {
	var none *malformed
	var permanent *PermanentError
	return errors.As(problem, &none) || errors.As(problem, &permanent)
}

// passing are SQLSTATEs (PostgreSQL, appendix A) that say nothing about the event: connection exception, transaction
// rollback, insufficient resources, lock not available, operator intervention, idle-in-transaction timeout.
var passing = regexp.MustCompile(`^(08|40|53|55P03|57P0|25P03)`)

// isTransient tells whether the database was away, or undid the work only because of what ran beside it. Such a
// failure is not counted against the event. Of what a handler returns only the database's own errors are: the handler
// may also call others, whose absence is a failure like any other.
func isTransient(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return passing.MatchString(refused.Code) && refused.Code != "08P01"
	}
	var failure *handlerFailure
	if errors.As(err, &failure) {
		var connect *pgconn.ConnectError
		return failure.lost || errors.As(err, &connect)
	}
	return storage.IsUnavailable(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// jitter stays within a fifth of wait, so that what failed together is not tried together.
func jitter(wait time.Duration) time.Duration {
	return time.Duration(float64(wait) * (0.8 + 0.4*rand.Float64()))
}

// flat has the first value of each header, names in lower case.
func flat(header nats.Header) map[string]string {
	out := make(map[string]string, len(header))
	for name, values := range header {
		if len(values) > 0 {
			out[strings.ToLower(name)] = values[0]
		}
	}
	return out
}
