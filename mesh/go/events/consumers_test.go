package events

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"

	policyv1 "weft.local/weft/gen/go/weft/policy/v1"
)

func readBy(t *testing.T, consumers ...*policyv1.Consumer) (*contract, error) {
	t.Helper()
	return contractOf(lent(t, &policyv1.EventPolicy{
		Subject: "library.v1.lent", Key: "book_id", Version: "version", Consumers: consumers,
	}))
}

func TestHowAnEventIsReadStandsInItsContract(t *testing.T) {
	contract, err := readBy(t, &policyv1.Consumer{Service: "plain"}, &policyv1.Consumer{
		Service: "other", MaxDeliver: 2, MaxAckPending: 7, AckWait: durationpb.New(3 * time.Second),
		Backoff: []*durationpb.Duration{durationpb.New(time.Second), durationpb.New(2 * time.Second)},
	})
	if err != nil {
		t.Fatal(err)
	}
	plain, other := contract.policies["plain"], contract.policies["other"]
	if plain.maxDeliver != 5 || plain.ackWait != 30*time.Second || plain.maxAckPending != 256 || len(plain.backoff) != 4 {
		t.Errorf("defaults: %+v", plain)
	}
	if other.maxDeliver != 2 || other.ackWait != 3*time.Second || other.maxAckPending != 7 {
		t.Errorf("given: %+v", other)
	}
	for failures, wait := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 9: 2 * time.Second} {
		if got := other.waitAfter(failures); got != wait {
			t.Errorf("after %d failures: %v, not %v", failures, got, wait)
		}
	}
	for what, wrong := range map[string][]*policyv1.Consumer{
		"no name":       {{Service: ""}},
		"a wrong name":  {{Service: "Other"}},
		"twice":         {{Service: "a"}, {Service: "a"}},
		"no wait":       {{Service: "a", AckWait: durationpb.New(0)}},
		"negative wait": {{Service: "a", Backoff: []*durationpb.Duration{durationpb.New(-time.Second)}}},
	} {
		if _, err := readBy(t, wrong...); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
}

func TestDurableNamesAreThoseOfTheOtherRuntime(t *testing.T) {
	// What durableName of mesh/runtime/events/durable.ts answers.
	for typeName, name := range map[string]string{
		"a.v1.OrderPlaced": "s__order_placed", "a.v1.Outer.Inner": "s__outer_inner", "a.v1.V2Made": "s__v2_made",
	} {
		if got := durableName("s", "a.v1", typeName); got != name {
			t.Errorf("%s: %s, not %s", typeName, got, name)
		}
	}
}

// empty makes the message of an event.
func (c *contract) empty() *dynamicpb.Message { return dynamicpb.NewMessage(c.key.ContainingMessage()) }

// event is a message of the library as the outbox sends it.
func event(t *testing.T, change func(nats.Header)) (*contract, *nats.Msg) {
	t.Helper()
	contract, err := readBy(t)
	if err != nil {
		t.Fatal(err)
	}
	body := contract.empty()
	fields := body.Descriptor().Fields()
	body.Set(fields.ByName("book_id"), protoreflect.ValueOf("book é"))
	body.Set(fields.ByName("version"), protoreflect.ValueOf(int64(42)))
	payload, err := proto.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	version := "42"
	message := cloudEvent("library", &outgoing{
		ID: "i1", Type: "library.v1.Lent", Subject: "library.v1.lent", Key: "book é", Version: &version, Payload: payload,
		headers: headers{RequestID: "r", Traceparent: "t"}, RecordedAt: time.UnixMilli(1_700_000_000_123),
	})
	change(message.Header)
	return contract, message
}

func TestAnEventIsReadAsItWasWritten(t *testing.T) {
	contract, message := event(t, func(nats.Header) {})
	got, err := decodeCloudEvent(message.Header, message.Data)
	if err != nil {
		t.Fatal(err)
	}
	if got.id != "i1" || got.key != "book é" || got.requestID != "r" || got.traceparent != "t" || *got.version != 42 ||
		!got.time.Equal(time.UnixMilli(1_700_000_000_123)) {
		t.Errorf("%+v", got)
	}
	body := contract.empty()
	if err := decodeBody(contract, got, body); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoEventIsUseless(t *testing.T) {
	set := func(name string, values ...string) func(nats.Header) {
		return func(header nats.Header) { header[name] = values }
	}
	for what, change := range map[string]func(nats.Header){
		"no id":            set("ce-id"),
		"two ids":          set("ce-id", "i1", "i1"),
		"another id":       set("Nats-Msg-Id", "i2"),
		"no source":        set("ce-source", ""),
		"another version":  set("ce-specversion", "0.3"),
		"JSON":             set("content-type", "application/json"),
		"no time":          set("ce-time", "yesterday"),
		"no number":        set("ce-sequence", "4x"),
		"no UTF-8":         set("ce-partitionkey", "%ff"),
		"another key":      set("ce-partitionkey", "other"),
		"another sequence": set("ce-sequence", "00000000000000000043"),
		"another type":     set("ce-type", "library.v1.Returned"),
	} {
		contract, message := event(t, change)
		got, err := decodeCloudEvent(message.Header, message.Data)
		if err == nil {
			err = decodeBody(contract, got, contract.empty())
		}
		if !isUseless(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestOnlyTheDatabasesOwnTroublePasses(t *testing.T) {
	state := func(code string) error { return fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code}) }
	by := func(cause error, lost bool) error { return &handlerFailure{cause, lost} }
	for what, try := range map[string]struct {
		err    error
		passes bool
	}{
		"deadlock":                     {state("40P01"), true},
		"shutdown, in the handler":     {by(state("57P01"), true), true},
		"unique violation":             {by(state("23505"), false), false},
		"a bad message":                {state("08P01"), false},
		"the handler's own":            {by(errors.New("no"), false), false},
		"a connection lost meanwhile":  {by(errors.New("unexpected EOF"), true), true},
		"a statement that takes long":  {by(state("57014"), false), false},
		"what stands in the body":      {&malformed{"x"}, false},
		"a handler that does not want": {by(&PermanentError{errors.New("no")}, false), false},
	} {
		if isTransient(try.err) != try.passes {
			t.Errorf("%s: %v", what, !try.passes)
		}
	}
}

func TestEventsOfOneKeyAreHandledInOrderAndOthersBesideThem(t *testing.T) {
	hands := newInHand(3)
	var mutex sync.Mutex
	var order []string
	otherRan := make(chan struct{})
	hands.do("a", func() {
		<-otherRan // only another key's job opens it
		mutex.Lock()
		defer mutex.Unlock()
		order = append(order, "a1")
	})
	hands.do("a", func() {
		mutex.Lock()
		defer mutex.Unlock()
		order = append(order, "a2")
	})
	hands.do("b", func() { close(otherRan) })
	hands.wait()
	if !slices.Equal(order, []string{"a1", "a2"}) || len(hands.lastOfKey) != 0 || !hands.isEmpty() {
		t.Errorf("%v, %d keys left", order, len(hands.lastOfKey))
	}
}

func TestWhatIsKeptOfAFailureCanBeStored(t *testing.T) {
	if got := causeOf(errors.New("a\x00b\xff")); got != "a\uFFFDb\uFFFD" {
		t.Errorf("%q", got)
	}
	if got := causeOf(errors.New(string(make([]rune, 3_000)))); len([]rune(got)) != causeLimit {
		t.Errorf("%d runes", len([]rune(got)))
	}
}
