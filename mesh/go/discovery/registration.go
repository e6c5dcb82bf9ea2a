// Package discovery enters this process into the registry of the mesh, so that callers find it, and tells whoever
// runs the mesh about its state. Calls to others need the other half, which no service in Go has a use for yet.
package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"weft.local/weft/mesh/go/events"
)

const (
	bucketStream = "KV_weft_registry"
	bucketPrefix = "$KV.weft_registry."
	// entryAge is when the server drops an entry; far beyond what readers wait for.
	entryAge  = time.Minute
	heartbeat = 3 * time.Second
	// notice is the time that callers get to hear of an end before it happens.
	notice = 300 * time.Millisecond
)

// Entry is one process of a service, as it stands in the registry (mesh/runtime/discovery/instance.ts).
type Entry struct {
	Service   string    `json:"service"`
	Instance  string    `json:"instance"`
	Version   string    `json:"version"`
	Address   string    `json:"address"`
	SpiffeID  string    `json:"spiffeId"`
	State     string    `json:"state"`
	StartedAt time.Time `json:"startedAt"`
}

// Registration keeps the entry of this process alive by heartbeats, for ever while the registry is away.
type Registration struct {
	bus     *events.Bus
	entry   Entry
	log     *slog.Logger
	cancel  context.CancelFunc
	ended   sync.WaitGroup
	entered atomic.Bool
}

// Register enters the process.
func Register(bus *events.Bus, entry Entry, log *slog.Logger) *Registration {
	entry.State = "ready"
	ctx, cancel := context.WithCancel(context.Background())
	r := &Registration{bus: bus, entry: entry, log: log, cancel: cancel}
	r.ended.Go(func() { r.beat(ctx) })
	return r
}

// IsLive tells whether the registry has the entry as far as this process knows.
func (r *Registration) IsLive() bool { return r.entered.Load() && r.bus.IsConnected() }

func (r *Registration) beat(ctx context.Context) {
	// Jittered, so that processes that started together do not stay together.
	every := time.Duration(float64(heartbeat) * (0.9 + rand.Float64()/5))
	reported := ""
	for {
		wait := every
		if !r.bus.IsConnected() {
			wait = 200 * time.Millisecond
		} else if err := r.write(ctx); err != nil && ctx.Err() == nil {
			r.entered.Store(false) // the server may have lost the bucket
			if err.Error() != reported {
				r.log.Warn("not registered; trying again", "problem", err.Error())
			}
			reported = err.Error()
		} else if err == nil {
			r.entered.Store(true)
			if reported != "" {
				r.log.Info("registered again", "instance", r.entry.Instance)
			}
			reported = ""
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (r *Registration) write(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if !r.entered.Load() {
		if err := r.ensureBucket(ctx); err != nil {
			return err
		}
	}
	text, err := json.Marshal(r.entry)
	if err != nil {
		return err
	}
	_, err = r.bus.JS.Publish(ctx, r.key(), text)
	return err
}

func (r *Registration) key() string {
	return bucketPrefix + r.entry.Service + "." + r.entry.Instance
}

// ensureBucket makes the bucket unless there is one: in memory, since heartbeats fill it again.
func (r *Registration) ensureBucket(ctx context.Context) error {
	_, err := r.bus.JS.CreateStream(ctx, jetstream.StreamConfig{
		Name:              bucketStream,
		Subjects:          []string{bucketPrefix + ">"},
		Storage:           jetstream.MemoryStorage,
		Discard:           jetstream.DiscardNew,
		MaxMsgsPerSubject: 1,
		MaxMsgs:           -1,
		MaxConsumers:      -1,
		MaxAge:            entryAge,
		Duplicates:        entryAge,
		MaxBytes:          4 * 1024 * 1024,
		MaxMsgSize:        4 * 1024,
		AllowRollup:       true,
		DenyDelete:        true,
	})
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return nil // made by another version of this program: it serves as it is
	}
	return err
}

// End takes the entry out and waits until callers have heard of it; with the registry away, not at all.
func (r *Registration) End() {
	r.cancel()
	r.ended.Wait() // a heartbeat after the end would bring a dead process back
	if !r.IsLive() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	message := nats.NewMsg(r.key())
	message.Header.Set("KV-Operation", "DEL")
	if _, err := r.bus.JS.PublishMsg(ctx, message); err != nil {
		r.log.Warn("callers could not be told of the end", "problem", err.Error())
		return
	}
	time.Sleep(notice)
}
