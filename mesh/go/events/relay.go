package events

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/reflect/protoreflect"

	"weft.local/weft/mesh/go/storage"
	"weft.local/weft/mesh/go/telemetry"
)

const (
	pollInterval   = 250 * time.Millisecond
	longestPause   = 5 * time.Second
	publishTimeout = 3 * time.Second
	// slowPublish is the time from which on a publishing is worth a look.
	slowPublish = time.Second
	// checkInterval is how often an idle relay makes sure that its streams are still there.
	checkInterval = 5 * time.Second
	// silence is longer than a round may take.
	silence = 30 * time.Second
)

// Relay moves rows from the outbox to their stream. It polls, and each commit of this process that recorded events
// wakes it. Any number of relays, in any language, may work on one outbox.
//
// Failures are of two kinds. The broker is away, slow or has lost the stream: everything pauses, and the streams
// are checked before the next event. Or one event is refused: its key waits, and other keys go on.
type Relay struct {
	db        *storage.Database
	bus       *Bus
	log       *slog.Logger
	tracer    *telemetry.Tracer
	replicas  int
	contracts map[string]*contract // by stream
	blocked   blockedKeys

	// Of the streams as they were looked at last; written between rounds only.
	instances map[string]*instance // by stream
	epoch     int64
	checkedAt time.Time
	// shrunk is set when an acknowledgement says that a stream is not what it was.
	shrunk atomic.Bool

	published atomic.Int64
	recovered *prometheus.CounterVec
	cancel    context.CancelFunc
	ended     sync.WaitGroup
}

// instance is a stream as this process has seen it.
type instance struct {
	created      string
	lastSequence atomic.Int64
}

// StartRelay starts publishing the events that a service records.
func StartRelay(
	db *storage.Database, bus *Bus, events []protoreflect.MessageDescriptor, replicas int,
	tele *telemetry.Telemetry, log *slog.Logger,
) (*Relay, error) {
	r := &Relay{
		db: db, bus: bus, log: log, tracer: tele.Tracer, replicas: replicas,
		contracts: map[string]*contract{}, instances: map[string]*instance{},
		recovered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weft_outbox_recovered_total", Help: "Events that a stream has lost and gets again",
		}, []string{"stream"}),
	}
	for _, event := range events {
		contract, err := contractOf(event)
		if err != nil {
			return nil, err
		}
		r.contracts[contract.stream] = contract
	}
	tele.Counter("weft_outbox_published_total", "Events that a stream has acknowledged", nil,
		func() float64 { return float64(r.published.Load()) })
	tele.Registry.MustRegister(r.recovered)
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.ended.Go(func() { r.run(ctx) })
	r.ended.Go(func() {
		storage.PruneNowAndThen(ctx, log, "event tables were not pruned", func(ctx context.Context) error {
			return prune(ctx, db)
		})
	})
	return r, nil
}

// Stop finishes the round in progress and ends.
func (r *Relay) Stop() {
	r.cancel()
	r.ended.Wait()
}

func (r *Relay) run(ctx context.Context) {
	committed := listen(r.db)
	failures := 0
	sure := false
	for ctx.Err() == nil {
		rest, err := r.round(ctx, sure)
		sure = false
		wake := committed
		if err != nil {
			r.checkedAt = time.Time{}
			pause := min(longestPause, 100*time.Millisecond<<min(failures, 10))
			rest = time.Duration(float64(pause) * (0.5 + rand.Float64()))
			failures++
			wake = nil // commits must not cut the pause short
			if ctx.Err() == nil {
				r.log.Warn("the outbox cannot be published", telemetry.Err(err), "retryInMs", rest.Milliseconds())
			}
		} else {
			failures = 0
		}
		if rest == 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-wake:
			sure = true
		case <-time.After(rest):
		}
	}
}

// round returns how long to rest before the next one. sure: a commit of this process said that something waits.
func (r *Relay) round(ctx context.Context, sure bool) (rest time.Duration, err error) {
	if !r.bus.IsConnected() {
		return pollInterval, nil
	}
	checked := r.epoch == r.bus.Epoch() && time.Since(r.checkedAt) < checkInterval && !r.shrunk.Load()
	// What has begun is finished when the relay is told to stop, and given up when a server has fallen silent.
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), silence)
	defer cancel()
	if !checked {
		if err := r.checkStreams(work); err != nil {
			return 0, err
		}
	}
	blocked := r.blocked.current()
	if !sure {
		if waits, err := hasUnpublished(work, r.db, blocked); err != nil || !waits {
			return pollInterval, err
		}
	}
	var broken atomic.Bool
	publish := func(ctx context.Context, row *outgoing) (int64, error) {
		sequence, err := r.publish(ctx, row)
		if err != nil && isBrokerTrouble(err) {
			broken.Store(true)
		}
		return sequence, err
	}
	done, err := publishRound(work, r.db, blocked, publish, func() bool {
		return ctx.Err() != nil || broken.Load() || !r.bus.IsConnected() || r.bus.Epoch() != r.epoch
	})
	if err != nil {
		return 0, err
	}
	r.published.Add(int64(done.published))
	for key, problem := range done.failed {
		if isBrokerTrouble(problem) {
			err = problem
			continue
		}
		wait := r.blocked.block(key)
		r.log.Error("an event cannot be published; its key waits", telemetry.Err(problem), "key", key, "retryInMs", wait.Milliseconds())
	}
	if err != nil || done.published > 0 {
		return 0, err
	}
	return pollInterval, nil
}

func (r *Relay) checkStreams(ctx context.Context) error {
	epoch := r.bus.Epoch()
	r.shrunk.Store(false)
	for _, contract := range r.contracts {
		if known := r.instances[contract.stream]; known != nil {
			intact, err := isIntact(ctx, r.bus, contract.stream, known)
			if err != nil {
				return err
			}
			if intact {
				continue
			}
		}
		created, lost, err := recoverStream(ctx, r.db, r.bus, contract, r.replicas, r.log)
		if err != nil {
			return err
		}
		if lost > 0 {
			r.recovered.WithLabelValues(contract.stream).Add(float64(lost))
		}
		r.instances[contract.stream] = &instance{created: created}
	}
	r.epoch, r.checkedAt = epoch, time.Now()
	return nil
}

// publish goes on in the trace of what caused the event: readers go on from the publishing.
func (r *Relay) publish(ctx context.Context, row *outgoing) (sequence int64, err error) {
	ending := telemetry.Ending{Slow: slowPublish, More: []telemetry.Attribute{
		{Name: "messaging.message.id", Value: row.ID},
		{Name: "messaging.message.body.size", Value: len(row.Payload)},
	}}
	came := row.headers
	err = r.tracer.Run(ctx, publishSpan(row.Subject), came.RequestID, came.Traceparent, ending, errorType,
		func(ctx context.Context, request *telemetry.Request) error {
			if request.Trace != nil {
				row.headers.Traceparent = request.Traceparent()
			}
			sequence, err = r.send(ctx, row)
			return err
		})
	return sequence, err
}

func (r *Relay) send(ctx context.Context, row *outgoing) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	seen := r.instances[row.Stream]
	var reached int64
	if seen != nil {
		reached = seen.lastSequence.Load()
	}
	ack, err := r.bus.JS.PublishMsg(ctx, cloudEvent(r.bus.Service, row),
		jetstream.WithExpectStream(row.Stream), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, err
	}
	sequence := int64(ack.Sequence)
	if seen != nil && !ack.Duplicate {
		if sequence <= reached { // sequences only grow: the stream is another one, or has lost its end
			r.shrunk.Store(true)
		}
		for before := seen.lastSequence.Load(); before < sequence; before = seen.lastSequence.Load() {
			if seen.lastSequence.CompareAndSwap(before, sequence) {
				break
			}
		}
	}
	return sequence, nil
}

// errorType is the value of error.type: a class, never a text.
func errorType(err error) string { return fmt.Sprintf("%T", err) }
