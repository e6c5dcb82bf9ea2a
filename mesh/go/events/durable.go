package events

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
)

// bindDurable binds to the durable consumer of one service for one event. It makes the consumer when it is missing,
// and updates what the contract has changed.
//
// MaxDeliver is unlimited on the server, which would silently stop delivering a message whose last delivery was lost
// with its process: the reader counts failures itself. BackOff is not set either, because it overrides the delays of
// negative acknowledgements. A new consumer starts with the oldest event; the inbox drops what was handled before.
func bindDurable(ctx context.Context, bus *Bus, r *Reader) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	stream := r.contract.stream
	found, err := findDurable(ctx, bus, stream, r.consumer)
	if err != nil {
		return nil, err
	}
	if found != nil && found.CachedInfo().Config.FilterSubject != r.contract.subject {
		if err := bus.JS.DeleteConsumer(ctx, stream, r.consumer); err != nil {
			return nil, err
		}
		found = nil
	}
	config := jetstream.ConsumerConfig{
		Name: r.consumer, Durable: r.consumer,
		AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverAllPolicy,
		ReplayPolicy: jetstream.ReplayInstantPolicy, FilterSubject: r.contract.subject,
	}
	if found != nil {
		config = found.CachedInfo().Config
		if config.AckWait == r.policy.ackWait && config.MaxAckPending == r.policy.maxAckPending && config.MaxDeliver == -1 {
			return found, nil
		}
	}
	config.AckWait, config.MaxAckPending, config.MaxDeliver = r.policy.ackWait, r.policy.maxAckPending, -1
	return bus.JS.CreateOrUpdateConsumer(ctx, stream, config)
}

// findDurable is nil when the consumer does not exist.
func findDurable(ctx context.Context, bus *Bus, stream, name string) (jetstream.Consumer, error) {
	consumer, err := bus.JS.Consumer(ctx, stream, name)
	if isAPIError(err, jetstream.JSErrCodeConsumerNotFound) {
		return nil, nil
	}
	return consumer, err
}
