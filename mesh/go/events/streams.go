package events

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"

	"weft.local/weft/mesh/go/storage"
)

const (
	// retention is how long events stay in their stream and in the outbox.
	retention      = 7 * 24 * time.Hour
	streamBytes    = 256 * 1024 * 1024
	recoveredBatch = 10_000
	// requestTimeout is what the server gets for an answer about a stream.
	requestTimeout = 5 * time.Second
)

// ensureStream creates the stream of a package, or updates it when its settings differ. File storage, limits
// retention, discard new: what was acknowledged is never dropped for newer events.
func ensureStream(ctx context.Context, bus *Bus, c *contract, replicas int) (*jetstream.StreamInfo, error) {
	want := func(config *jetstream.StreamConfig) {
		config.Name = c.stream
		config.Subjects = []string{c.streamSubjects}
		config.Retention = jetstream.LimitsPolicy
		config.Storage = jetstream.FileStorage
		config.Discard = jetstream.DiscardNew
		config.Duplicates = 2 * time.Minute
		config.MaxAge = retention
		config.MaxBytes = streamBytes
		config.MaxMsgSize = 1024 * 1024
		config.Replicas = replicas
	}
	info, err := findStream(ctx, bus, c.stream)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if info == nil {
		config := jetstream.StreamConfig{MaxConsumers: -1, MaxMsgs: -1, MaxMsgsPerSubject: -1}
		want(&config)
		stream, err := bus.JS.CreateStream(ctx, config)
		if err != nil {
			return nil, err
		}
		return stream.CachedInfo(), nil
	}
	wanted := info.Config
	want(&wanted)
	if sameSettings(info.Config, wanted) {
		return info, nil
	}
	stream, err := bus.JS.UpdateStream(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return stream.CachedInfo(), nil
}

func sameSettings(a, b jetstream.StreamConfig) bool {
	return slices.Equal(a.Subjects, b.Subjects) && a.Retention == b.Retention && a.Storage == b.Storage &&
		a.Discard == b.Discard && a.Duplicates == b.Duplicates && a.MaxAge == b.MaxAge &&
		a.MaxBytes == b.MaxBytes && a.MaxMsgSize == b.MaxMsgSize && a.Replicas == b.Replicas
}

// findStream is nil when there is none of this name.
func findStream(ctx context.Context, bus *Bus, name string) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	stream, err := bus.JS.Stream(ctx, name)
	if isAPIError(err, jetstream.JSErrCodeStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return stream.CachedInfo(), nil // just read
}

// createdText names an instance of a stream as the server wrote it, which is what outbox_streams holds.
func createdText(info *jetstream.StreamInfo) string {
	return info.Created.Format(time.RFC3339Nano)
}

// recoverStream makes sure that the stream exists and holds, or will hold again, every row that was published to
// it. JetStream acknowledges before it syncs to disk, and its store may be lost; the outbox keeps rows for as long
// as the stream keeps events, so it can give back what is gone: all of it to another instance of the stream, what
// lies beyond its last sequence to the same one.
//
// All partitions are locked meanwhile, so nothing newer gets in before older rows.
func recoverStream(
	ctx context.Context, db *storage.Database, bus *Bus, c *contract, replicas int, log *slog.Logger,
) (created string, lost int64, err error) {
	err = db.Once(ctx, untilAllAreFree(), func(tx *storage.Tx) error {
		if err := lockAllPartitions(ctx, tx); err != nil {
			return err
		}
		info, err := ensureStream(ctx, bus, c, replicas)
		if err != nil {
			return err
		}
		created = createdText(info)
		var known string
		err = tx.QueryRow(ctx, "select created_at from outbox_streams where stream = $1", c.stream).Scan(&known)
		if err != nil && err != pgx.ErrNoRows {
			return err
		}
		lastKept := int64(-1)
		if known == created {
			lastKept = int64(info.State.LastSeq)
		}
		if lost, err = unmarkLost(ctx, tx, c.stream, lastKept); err != nil {
			return err
		}
		if lost > 0 {
			log.Warn("the stream has lost events; publishing them again", "stream", c.stream, "events", lost, "lastKept", lastKept)
		}
		log.Info("the stream is ready", "stream", c.stream, "lastSequence", info.State.LastSeq)
		_, err = tx.Exec(ctx, `insert into outbox_streams (stream, created_at) values ($1, $2)
			on conflict (stream) do update set created_at = excluded.created_at`, c.stream, created)
		return err
	})
	return created, lost, err
}

// unmarkLost marks rows beyond the last kept sequence as unpublished, a batch at a time: seven days of events are
// more than one statement may take the time for.
func unmarkLost(ctx context.Context, tx *storage.Tx, stream string, lastKept int64) (lost int64, err error) {
	for {
		result, err := tx.Exec(ctx, `update outbox set published_at = null, stream_sequence = null
			where id in (
			  select id from outbox where stream = $1 and published_at is not null and stream_sequence > $2 limit $3
			)`, stream, lastKept, recoveredBatch)
		if err != nil {
			return lost, err
		}
		lost += result.RowsAffected()
		if result.RowsAffected() < recoveredBatch {
			return lost, nil
		}
	}
}

// isIntact tells whether the stream is the known instance and still reaches as far as this process has seen it.
func isIntact(ctx context.Context, bus *Bus, stream string, known *instance) (bool, error) {
	info, err := findStream(ctx, bus, stream)
	if err != nil || info == nil {
		return false, err
	}
	return createdText(info) == known.created && int64(info.State.LastSeq) >= known.lastSequence.Load(), nil
}
