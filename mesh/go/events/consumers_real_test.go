package events

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"

	eventsv1 "weft.local/weft/gen/go/weft/events/v1"
	policyv1 "weft.local/weft/gen/go/weft/policy/v1"
	"weft.local/weft/mesh/go/storage"
	"weft.local/weft/mesh/go/telemetry"
)

// library is a service that reads its own events, on a database and a bus that test/polyglot/go provides.
type library struct {
	db        *storage.Database
	bus       *Bus
	reader    *Reader
	consumers *Consumers

	mutex sync.Mutex
	tries map[string]int
}

// handle fails as often as the key says: "fails-2-…" twice, "poison-…" for good.
func (l *library) handle(ctx context.Context, tx *storage.Tx, event proto.Message, about About) error {
	l.mutex.Lock()
	l.tries[about.Key]++
	l.mutex.Unlock()
	tx.Later("insert into effects (id) values ($1)", about.ID)
	switch {
	case strings.HasPrefix(about.Key, "poison"):
		return &PermanentError{errors.New("it is poison")}
	case strings.HasPrefix(about.Key, "fails"):
		var times int
		fmt.Sscanf(about.Key, "fails-%d", &times)
		if about.Attempt <= times {
			return errors.New("not yet")
		}
	}
	return nil
}

func (l *library) triesOf(key string) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.tries[key]
}

func openLibrary(t *testing.T) *library {
	database, bus := os.Getenv("WEFT_TEST_DATABASE_URL"), os.Getenv("WEFT_TEST_NATS_URL")
	if database == "" || bus == "" {
		t.Skip("needs a database and a bus: npm run polyglot:go")
	}
	log := telemetry.NewLogger(os.Stderr, "library", "error")
	tele := telemetry.Start("library", &telemetry.Settings{}, log)
	l := &library{tries: map[string]int{}}
	var err error
	migrations := []storage.Migration{{Name: "Migration1", SQL: "create table effects (id uuid primary key);" + Tables}}
	if l.db, err = storage.Open(t.Context(), database, migrations, tele, log); err != nil {
		t.Fatal(err)
	}
	if l.bus, err = Connect(bus, "library", log); err != nil {
		t.Fatal(err)
	}
	wait := durationpb.New(50 * time.Millisecond)
	message := lent(t, &policyv1.EventPolicy{Subject: "library.v1.lent", Key: "book_id", Consumers: []*policyv1.Consumer{{
		Service: "library", MaxDeliver: 3, Backoff: []*durationpb.Duration{wait},
	}}})
	handler := Handler{func() proto.Message { return dynamicpb.NewMessage(message) }, l.handle}
	readers, err := Readers("library", []Handler{handler}, l.db, tele, log)
	if err != nil {
		t.Fatal(err)
	}
	l.reader = readers[0]
	until(t, "the stream is there", func() bool {
		_, err := ensureStream(t.Context(), l.bus, l.reader.contract, 1)
		return err == nil
	})
	l.consumers = StartConsumers(readers, l.bus, tele)
	t.Cleanup(func() {
		l.consumers.Stop()
		l.bus.Close()
		l.db.Close()
	})
	return l
}

// publish sends an event of a book; with another message id, so that the stream takes it again.
func (l *library) publish(t *testing.T, id, book string) {
	t.Helper()
	body := l.reader.fresh().ProtoReflect()
	body.Set(l.reader.contract.key, protoreflect.ValueOfString(book))
	payload, err := proto.Marshal(body.Interface())
	if err != nil {
		t.Fatal(err)
	}
	message := cloudEvent("library", &outgoing{
		ID: id, Type: l.reader.contract.typeName, Subject: l.reader.contract.subject, Key: book, Payload: payload, RecordedAt: time.Now(),
	})
	delete(message.Header, "Nats-Msg-Id")
	if _, err := l.bus.JS.PublishMsg(t.Context(), message); err != nil {
		t.Fatal(err)
	}
}

func (l *library) count(t *testing.T, query string, arguments ...any) (count int) {
	t.Helper()
	if err := l.db.QueryRow(t.Context(), query, arguments...).Scan(&count); err != nil {
		t.Fatal(err)
	}
	return count
}

func (l *library) effects(t *testing.T, id string) int {
	return l.count(t, "select count(*) from effects where id = $1", id)
}

// letter is the state of an event's dead letter and the number of its failures; "" where there is none.
func (l *library) letter(t *testing.T, id string) (state string, attempts int) {
	t.Helper()
	err := l.db.QueryRow(t.Context(), `select coalesce(max(state), ''), coalesce(max(attempts), 0) from dead_letters
		where event_id = $1`, id).Scan(&state, &attempts)
	if err != nil {
		t.Fatal(err)
	}
	return state, attempts
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 60 s: %s", what)
		}
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func TestOverARealBus(t *testing.T) {
	l := openLibrary(t)
	rpc := NewDeadLetterRPC(l.db, []*Reader{l.reader}, l.reader.log)

	t.Run("an event that comes twice has one effect", func(t *testing.T) {
		id := newID()
		l.publish(t, id, "twice")
		l.publish(t, id, "twice")
		after := newID()
		l.publish(t, after, "twice") // of the same key: handled behind the others
		until(t, "the last is handled", func() bool { return l.effects(t, after) == 1 })
		if l.effects(t, id) != 1 || l.triesOf("twice") != 2 {
			t.Errorf("%d effects, %d tries", l.effects(t, id), l.triesOf("twice"))
		}
	})
	t.Run("one that fails comes again, and leaves no trace of its failures", func(t *testing.T) {
		id := newID()
		l.publish(t, id, "fails-2")
		until(t, "it is handled", func() bool { return l.effects(t, id) == 1 })
		if state, _ := l.letter(t, id); state != "" || l.triesOf("fails-2") != 3 {
			t.Errorf("%q, %d tries", state, l.triesOf("fails-2"))
		}
	})
	t.Run("one that fails too often is a dead letter, and can be replayed once", func(t *testing.T) {
		id := newID()
		l.publish(t, id, "fails-3")
		until(t, "it is dead", func() bool { state, _ := l.letter(t, id); return state == "open" })
		if _, attempts := l.letter(t, id); attempts != 3 || l.effects(t, id) != 0 {
			t.Errorf("%d attempts, %d effects", attempts, l.effects(t, id))
		}
		list, err := rpc.ListDeadLetters(t.Context(), &eventsv1.ListDeadLettersRequest{Consumer: "library__lent"})
		if err != nil || len(list.GetDeadLetters()) != 1 || list.GetDeadLetters()[0].GetEventId() != id {
			t.Fatalf("%v, %v", list, err)
		}
		for range 2 { // the second finds it replayed
			letter, err := rpc.ReplayDeadLetter(t.Context(), &eventsv1.ReplayDeadLetterRequest{
				Id: list.GetDeadLetters()[0].GetId(), Actor: "ann",
			})
			if err != nil || letter.GetState() != eventsv1.DeadLetter_REPLAYED || letter.GetSettledBy() != "ann" ||
				len(letter.GetHistory()) != 3 || letter.GetPayload().GetFields()["bookId"].GetStringValue() != "fails-3" {
				t.Fatalf("%v, %v", letter, err)
			}
		}
		if l.effects(t, id) != 1 {
			t.Errorf("%d effects", l.effects(t, id))
		}
	})
	t.Run("poison is given up at once; dropped, it stays so when it comes again", func(t *testing.T) {
		id := newID()
		l.publish(t, id, "poison")
		until(t, "it is dead", func() bool { state, _ := l.letter(t, id); return state == "open" })
		list, err := rpc.ListDeadLetters(t.Context(), &eventsv1.ListDeadLettersRequest{})
		if err != nil || len(list.GetDeadLetters()) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		letter, err := rpc.DropDeadLetter(t.Context(), &eventsv1.DropDeadLetterRequest{
			Id: list.GetDeadLetters()[0].GetId(), Actor: "ann",
		})
		if err != nil || letter.GetState() != eventsv1.DeadLetter_DROPPED {
			t.Fatalf("%v, %v", letter, err)
		}
		l.publish(t, id, "poison")
		after := newID()
		l.publish(t, after, "behind")
		until(t, "the next is handled", func() bool { return l.effects(t, after) == 1 })
		if state, _ := l.letter(t, id); state != "dropped" || l.triesOf("poison") != 1 || l.effects(t, id) != 0 {
			t.Errorf("%q, %d tries", state, l.triesOf("poison"))
		}
	})
	t.Run("a consumer that somebody has deleted is made again, and nothing has a second effect", func(t *testing.T) {
		effects := l.count(t, "select count(*) from effects")
		if err := l.bus.JS.DeleteConsumer(t.Context(), l.reader.contract.stream, l.reader.consumer); err != nil {
			t.Fatal(err)
		}
		id := newID()
		l.publish(t, id, "after all")
		until(t, "it is handled", func() bool { return l.effects(t, id) == 1 })
		if now := l.count(t, "select count(*) from effects"); now != effects+1 {
			t.Errorf("%d effects became %d", effects, now)
		}
	})
}
