package events

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"weft.local/weft/mesh/go/storage"
	"weft.local/weft/mesh/go/telemetry"
)

// concurrency is the number of deliveries handled at once for each event; each holds a database connection.
const concurrency = 4

// About is what a handler gets besides the event.
type About struct {
	ID, Key string
	// Version of the aggregate; nil when the contract names none.
	Version *int64
	// Time is when the event was recorded.
	Time time.Time
	// Attempt is 1 for the first try; failed tries are counted, redeliveries for other reasons are not.
	Attempt int
	// Headers of the message, names in lower case.
	Headers map[string]string
}

// Handler is an event and what a service does with it. Made by On.
type Handler struct {
	fresh  func() proto.Message
	handle func(ctx context.Context, tx *storage.Tx, event proto.Message, about About) error
}

// On says what a service does with an event.
//
// The handler writes through tx only: then its effect happens exactly once. Effects elsewhere (mail, calls) happen at
// least once; give them about.ID as their idempotency key. Events of one key normally come in order, but a failed one
// is passed by its successors: compare about.Version. ctx ends after the contract's ack_wait.
func On[T any, Event interface {
	*T
	proto.Message
}](handle func(ctx context.Context, tx *storage.Tx, event Event, about About) error) Handler {
	return Handler{
		fresh: func() proto.Message { return Event(new(T)) },
		handle: func(ctx context.Context, tx *storage.Tx, event proto.Message, about About) error {
			return handle(ctx, tx, event.(Event), about)
		},
	}
}

// PermanentError tells that trying again is useless: the event goes to the dead letters at once.
type PermanentError struct{ Cause error }

func (e *PermanentError) Error() string { return e.Cause.Error() }
func (e *PermanentError) Unwrap() error { return e.Cause }

// Reader is one event as one service reads it.
type Reader struct {
	Handler
	consumer string
	contract *contract
	policy   *consumerPolicy
	db       *storage.Database
	log      *slog.Logger
	tracer   *telemetry.Tracer
}

// Readers are what reads each event that a service has a handler for. It fails when a contract does not name the
// service as a consumer, or an event has two handlers.
func Readers(
	service string, handlers []Handler, db *storage.Database, tele *telemetry.Telemetry, log *slog.Logger,
) ([]*Reader, error) {
	readers := make([]*Reader, 0, len(handlers))
	known := map[string]bool{}
	for _, handler := range handlers {
		message := handler.fresh().ProtoReflect().Descriptor()
		contract, err := contractOf(message)
		if err != nil {
			return nil, err
		}
		policy := contract.policies[service]
		if policy == nil {
			return nil, fmt.Errorf("%s handles %s, whose contract does not name it as a consumer", service, contract.typeName)
		}
		name := durableName(service, string(message.ParentFile().Package()), contract.typeName)
		if known[name] {
			return nil, fmt.Errorf("%s has two handlers for %s", service, name)
		}
		known[name] = true
		readers = append(readers, &Reader{handler, name, contract, policy, db, log, tele.Tracer})
	}
	return readers, nil
}

// Consumers read events until they are stopped.
type Consumers struct{ loops []*consumerLoop }

// StartConsumers starts reading. NATS and the streams may appear later.
func StartConsumers(readers []*Reader, bus *Bus, tele *telemetry.Telemetry) *Consumers {
	deliveries := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weft_consumer_deliveries_total", Help: "Events handed to a consumer, by outcome",
	}, []string{"consumer", "outcome"})
	restarts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weft_consumer_restarts_total", Help: "Times that a consumer was missing or stuck and was started anew",
	}, []string{"consumer"})
	tele.Registry.MustRegister(deliveries, restarts)
	if len(readers) > 0 {
		tele.Registry.MustRegister(newConsumerLag(readers, bus))
	}
	consumers := &Consumers{}
	for _, reader := range readers {
		consumers.loops = append(consumers.loops, startConsumerLoop(reader, bus, deliveries, restarts))
	}
	return consumers
}

// Stop takes no more events, finishes those in hand, ends.
func (c *Consumers) Stop() {
	for _, loop := range c.loops {
		loop.cancel()
	}
	for _, loop := range c.loops {
		loop.ended.Wait()
	}
}
