package events

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"weft.local/weft/mesh/go/telemetry"
)

const (
	watchInterval = 10 * time.Second
	// redeliveryGrace is how late a redelivery may be before it will not come any more.
	redeliveryGrace = 30 * time.Second
	// pullExpires is the life of a request for events; half of it is the server's heartbeat, whose absence shows a
	// deleted consumer.
	pullExpires = 4 * time.Second
	longestRest = 2 * time.Second
)

// consumerLoop reads one event for one service until it is stopped: binds to the durable consumer (and waits until its
// stream exists), pulls no more than it can handle at once, and starts over whenever that ends. Events with the same
// key are handled one after the other within this process.
//
// Watchdog: a durable consumer may be deleted, lost with the store, or present but stuck (nats-server issue 4736). The
// loop looks every 10 s, pulls anew after the first suspicion and recreates the consumer after the second.
type consumerLoop struct {
	*Reader
	bus        *Bus
	deliveries *prometheus.CounterVec
	restarts   *prometheus.CounterVec
	cancel     context.CancelFunc
	ended      sync.WaitGroup
	inHand     *inHand

	// Of the watchdog alone.
	seen       progress
	suspicions int
}

// progress of a consumer as the server tells it.
type progress struct {
	delivered, acknowledged uint64
	since                   time.Time
}

func startConsumerLoop(r *Reader, bus *Bus, deliveries, restarts *prometheus.CounterVec) *consumerLoop {
	ctx, cancel := context.WithCancel(context.Background())
	loop := &consumerLoop{
		Reader: r, bus: bus, deliveries: deliveries, restarts: restarts, cancel: cancel, inHand: newInHand(concurrency),
	}
	loop.ended.Go(func() { loop.run(ctx) })
	return loop
}

func (l *consumerLoop) run(ctx context.Context) {
	defer l.inHand.wait()
	failures, reported := 0, ""
	for ctx.Err() == nil {
		rest := 100 * time.Millisecond
		if err := l.read(ctx); err != nil && ctx.Err() == nil {
			if problem := err.Error(); problem != reported {
				l.log.Info("cannot read events; trying again", "consumer", l.consumer, "stream", l.contract.stream, "problem", problem)
				reported = problem
			}
			rest = min(longestRest, 100*time.Millisecond<<min(failures, 10))
			rest = time.Duration(float64(rest) * (0.5 + rand.Float64()))
			failures++
		} else {
			failures, reported = 0, ""
		}
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	}
}

// read takes events until ctx ends or they have to be asked for anew.
func (l *consumerLoop) read(ctx context.Context) error {
	if !l.bus.IsConnected() {
		return nil // the next look is soon
	}
	durable, err := bindDurable(ctx, l.bus, l.Reader)
	if err != nil {
		return err
	}
	messages, err := durable.Messages(jetstream.PullMaxMessages(concurrency),
		jetstream.PullExpiry(pullExpires), jetstream.PullHeartbeat(pullExpires/2))
	if err != nil {
		return err
	}
	watching, cancel := context.WithCancel(ctx)
	var watchdog sync.WaitGroup
	watchdog.Go(func() {
		l.watch(watching)
		messages.Stop() // Next ends, too
	})
	defer watchdog.Wait()
	defer cancel()
	for {
		message, err := messages.Next()
		if err != nil {
			return err
		}
		l.take(ctx, message)
	}
}

// take handles a delivery once those of its key that came before it are done. It waits for a free hand.
func (l *consumerLoop) take(ctx context.Context, message jetstream.Msg) {
	came := time.Now()
	key := ""
	if values := message.Headers()["ce-partitionkey"]; len(values) > 0 {
		key = values[0]
	}
	l.inHand.do(key, func() {
		if ctx.Err() != nil { // stopped meanwhile
			message.Nak()
			return
		}
		if time.Since(came) > l.policy.ackWait/4 {
			message.InProgress()
		}
		// What has begun is finished when the loop is told to stop.
		became := l.deliver(context.WithoutCancel(ctx), message)
		l.deliveries.WithLabelValues(l.consumer, string(became)).Inc()
	})
}

// watch returns when ctx ends, or the consumer has to be read anew.
func (l *consumerLoop) watch(ctx context.Context) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			anew, err := l.look(ctx)
			if err != nil {
				l.log.Debug("the watchdog could not look", telemetry.Err(err), slog.String("consumer", l.consumer))
			}
			if anew {
				return
			}
		}
	}
}

func (l *consumerLoop) look(ctx context.Context) (anew bool, err error) {
	if !l.bus.IsConnected() || !l.inHand.isEmpty() {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	durable, err := findDurable(ctx, l.bus, l.contract.stream, l.consumer)
	if err != nil {
		return false, err
	}
	if durable != nil && !l.isStuck(durable.CachedInfo()) {
		l.suspicions = 0
		return false, nil
	}
	l.suspicions++
	l.log.Warn("a consumer is missing or stuck; starting it anew", "consumer", l.consumer, "missing", durable == nil)
	l.restarts.WithLabelValues(l.consumer).Inc()
	if durable != nil && l.suspicions > 1 {
		err = l.bus.JS.DeleteConsumer(ctx, l.contract.stream, l.consumer)
	}
	return true, err
}

// isStuck tells whether a consumer has not moved since the last look although it should have.
func (l *consumerLoop) isStuck(info *jetstream.ConsumerInfo) bool {
	now := progress{info.Delivered.Consumer, info.AckFloor.Stream, l.seen.since}
	if now != l.seen {
		now.since = time.Now()
		l.seen = now
		return false
	}
	mayDeliver := info.NumPending > 0 && info.NumAckPending < l.policy.maxAckPending
	return mayDeliver || (info.NumAckPending > 0 && time.Since(l.seen.since) > l.policy.redeliveredWithin())
}

// redeliveredWithin is the longest time until an event that was not acknowledged has to come again.
func (p *consumerPolicy) redeliveredWithin() time.Duration {
	longest := p.ackWait
	for _, wait := range p.backoff {
		longest = max(longest, wait)
	}
	return longest + longest/5 + redeliveryGrace
}
