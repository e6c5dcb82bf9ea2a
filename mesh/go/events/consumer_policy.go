package events

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	policyv1 "weft.local/weft/gen/go/weft/policy/v1"
)

// consumerPolicy is how one service reads one event, with the defaults of weft.policy.v1.Consumer filled in.
type consumerPolicy struct {
	// maxDeliver is the number of failures after which the event goes to the reader's dead letters.
	maxDeliver int
	// backoff has the waits before the second, third, ... try; the last one repeats. Never empty.
	backoff []time.Duration
	// ackWait is the time a delivery may take before it counts as lost.
	ackWait time.Duration
	// maxAckPending is the number of deliveries in flight.
	maxAckPending int
}

var defaultBackoff = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute}

var serviceName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func consumerPolicies(consumers []*policyv1.Consumer) (map[string]*consumerPolicy, error) {
	policies := make(map[string]*consumerPolicy, len(consumers))
	for _, consumer := range consumers {
		name := consumer.GetService()
		if !serviceName.MatchString(name) {
			return nil, fmt.Errorf("has a consumer with the service name %q", name)
		}
		if policies[name] != nil {
			return nil, fmt.Errorf("lists the consumer %q twice", name)
		}
		policy := &consumerPolicy{maxDeliver: 5, ackWait: 30 * time.Second, maxAckPending: 256}
		if n := consumer.GetMaxDeliver(); n > 0 {
			policy.maxDeliver = int(n)
		}
		if n := consumer.GetMaxAckPending(); n > 0 {
			policy.maxAckPending = int(n)
		}
		if wait := consumer.GetAckWait(); wait != nil {
			policy.ackWait = wait.AsDuration()
		}
		policy.backoff = durations(consumer.GetBackoff())
		for _, each := range append([]time.Duration{policy.ackWait}, policy.backoff...) {
			if each <= 0 {
				return nil, fmt.Errorf("has a backoff or an ack_wait of consumer %q that is not positive", name)
			}
		}
		if len(policy.backoff) == 0 {
			policy.backoff = defaultBackoff
		}
		policies[name] = policy
	}
	return policies, nil
}

func durations(given []*durationpb.Duration) []time.Duration {
	out := make([]time.Duration, len(given))
	for i, each := range given {
		out[i] = each.AsDuration()
	}
	return out
}

var wordBorder = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// durableName is SERVICE__EVENT, the event's name in snake case: part of NATS subjects, and the consumer's name in the
// inbox. pkg is the package of the event, typeName its full name.
func durableName(service, pkg, typeName string) string {
	name := strings.TrimPrefix(typeName, pkg+".")
	name = wordBorder.ReplaceAllString(name, "${1}_${2}")
	return service + "__" + strings.ToLower(strings.ReplaceAll(name, ".", "_"))
}
