// Package events records facts in the outbox, in the transaction that causes them, and moves them to NATS
// JetStream: the tables, subjects and headers are those of mesh/runtime/events.
package events

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Bus is a service's connection to NATS. It may be away at any time, also when the service starts: it keeps trying,
// and whoever uses it waits or tries again.
type Bus struct {
	Conn    *nats.Conn
	JS      jetstream.JetStream
	Service string
	epoch   atomic.Int64
}

// Connect starts connecting and returns at once, whether or not NATS is there. Replies go to the inbox
// _INBOX.SERVICE, so that no service may read another's.
func Connect(address, service string, log *slog.Logger) (*Bus, error) {
	for each := range strings.SplitSeq(address, ",") {
		if _, err := url.Parse(strings.TrimSpace(each)); err != nil {
			return nil, fmt.Errorf("the NATS URL cannot be parsed; expected nats://USER:PASSWORD@HOST:PORT")
		}
	}
	bus := &Bus{Service: service}
	up := func(what string) nats.ConnHandler {
		return func(conn *nats.Conn) {
			bus.epoch.Add(1)
			log.Info(what, "server", conn.ConnectedAddr())
		}
	}
	conn, err := nats.Connect(address,
		nats.Name(service),
		nats.CustomInboxPrefix("_INBOX."+service),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250*time.Millisecond),
		nats.ReconnectJitter(time.Second, time.Second),
		nats.ReconnectBufSize(-1), // what cannot be sent now fails now: whoever sends tries again
		nats.Timeout(5*time.Second),
		nats.PingInterval(5*time.Second),
		nats.MaxPingsOutstanding(2),
		nats.IgnoreAuthErrorAbort(),
		nats.ConnectHandler(up("connected to NATS")),
		nats.ReconnectHandler(up("connected to NATS again")),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("lost the connection to NATS; reconnecting", "problem", err.Error())
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("NATS reports an error", "problem", err.Error())
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	bus.Conn = conn
	if bus.JS, err = jetstream.New(conn); err != nil {
		return nil, err
	}
	return bus, nil
}

// IsConnected tells whether the server can be reached now.
func (b *Bus) IsConnected() bool { return b.Conn.IsConnected() }

// Epoch counts connects: another value means that the server may have lost or kept anything in between.
func (b *Bus) Epoch() int64 { return b.epoch.Load() }

// Close sends what is pending and disconnects for good.
func (b *Bus) Close() {
	if !b.IsConnected() {
		b.Conn.Close() // a drain needs the server
		return
	}
	done := make(chan struct{})
	b.Conn.SetClosedHandler(func(*nats.Conn) { close(done) })
	if b.Conn.Drain() != nil {
		b.Conn.Close()
	}
	select {
	case <-done:
	case <-time.After(2 * time.Second):
		b.Conn.Close()
	}
}

// Follow calls take with the newest message of each subject, in a stream that holds one for each, and with every
// later one; again after each connect, for what was missed. It returns when ctx ends.
//
// The watch is a plain subscription: it needs no right to make consumers. Loaded is closed after the first reading.
func (b *Bus) Follow(
	ctx context.Context, stream, subjects string, take func(subject string, data []byte), loaded chan<- struct{}, log *slog.Logger,
) {
	read := func(ctx context.Context) error { return b.readAll(ctx, stream, subjects, take) }
	b.follow(ctx, stream, subjects, take, read, loaded, log)
}

// FollowEntry is Follow for one subject: it needs the right to read that and no other.
func (b *Bus) FollowEntry(
	ctx context.Context, stream, subject string, take func(subject string, data []byte), log *slog.Logger,
) {
	read := func(ctx context.Context) error { return b.readOne(ctx, stream, subject, take) }
	b.follow(ctx, stream, subject, take, read, nil, log)
}

func (b *Bus) follow(
	ctx context.Context, stream, subjects string, take func(string, []byte),
	read func(context.Context) error, loaded chan<- struct{}, log *slog.Logger,
) {
	// Short until the first connect: a start waits for what is read.
	look := 20 * time.Millisecond
	var subscription *nats.Subscription
	defer func() {
		if subscription != nil {
			subscription.Unsubscribe()
		}
	}()
	var epoch int64
	reported := ""
	for first := true; ; first = false {
		if !first {
			select {
			case <-ctx.Done():
				return
			case <-time.After(look):
			}
		}
		wanted := b.Epoch()
		if !b.IsConnected() || wanted == epoch {
			continue
		}
		err := func() (err error) {
			if subscription == nil { // first, so that nothing is missed between reading and listening
				subscription, err = b.Conn.Subscribe(subjects, func(message *nats.Msg) {
					take(message.Subject, message.Data)
				})
				if err != nil {
					return err
				}
			}
			return read(ctx)
		}()
		if err != nil {
			look = time.Second
			if err.Error() != reported {
				log.Warn("the bus cannot be read; going on with what is known", "stream", stream, "problem", err.Error())
			}
			reported = err.Error()
			continue
		}
		reported, epoch, look = "", wanted, time.Second
		if loaded != nil {
			close(loaded)
			loaded = nil
		}
	}
}

// readAll reads the newest message of each subject; nothing where there is no stream yet.
func (b *Bus) readAll(ctx context.Context, name, subjects string, take func(string, []byte)) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stream, err := b.JS.Stream(ctx, name)
	if isAPIError(err, jetstream.JSErrCodeStreamNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(subjects))
	if err != nil {
		return err
	}
	for subject := range info.State.Subjects {
		message, err := stream.GetLastMsgForSubject(ctx, subject)
		if isAPIError(err, jetstream.JSErrCodeMessageNotFound) {
			continue // its time was over between the list and now
		}
		if err != nil {
			return err
		}
		take(subject, message.Data)
	}
	return nil
}

// readOne reads the newest message of one subject with the one request that it takes; nothing where there is none.
func (b *Bus) readOne(ctx context.Context, stream, subject string, take func(string, []byte)) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	question, err := json.Marshal(map[string]string{"last_by_subj": subject})
	if err != nil {
		return err
	}
	reply, err := b.Conn.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+stream, question)
	if err != nil {
		return err
	}
	var answer struct {
		Error   *jetstream.APIError
		Message struct{ Data []byte }
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return err
	}
	if answer.Error == nil {
		take(subject, answer.Message.Data)
		return nil
	}
	if isAPIError(answer.Error, jetstream.JSErrCodeStreamNotFound, jetstream.JSErrCodeMessageNotFound) {
		return nil
	}
	return answer.Error
}
