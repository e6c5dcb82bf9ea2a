package identity

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"weft.local/weft/mesh/go/events"
)

const (
	revocationStream = "KV_weft_revocations"
	revocationPrefix = "$KV.weft_revocations."
	// revocationsKept is the longest life of a token, and a little more since clocks differ.
	revocationsKept = MaxTokenLife + time.Minute
	forgetEvery     = time.Second * 30
)

// Revocations is what this process knows of access tokens that are void before their time: for a user, the second
// before which tokens were issued that are. While NATS is away it goes on with what it knows.
type Revocations struct {
	// Loaded is closed when the bucket was read for the first time.
	Loaded chan struct{}

	mutex sync.RWMutex
	known map[string]time.Time
}

// FollowRevocations follows the bucket until ctx ends.
func FollowRevocations(ctx context.Context, bus *events.Bus, log *slog.Logger) *Revocations {
	r := &Revocations{Loaded: make(chan struct{}), known: map[string]time.Time{}}
	go bus.Follow(ctx, revocationStream, revocationPrefix+">", r.take, r.Loaded, log)
	go r.forget(ctx)
	return r
}

// IsRevoked tells whether a token of user, issued then, is void.
func (r *Revocations) IsRevoked(user string, issuedAt time.Time) bool {
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	before, ok := r.known[user]
	return ok && issuedAt.Before(before)
}

func (r *Revocations) take(subject string, data []byte) {
	user, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(subject, revocationPrefix))
	seconds, notNumber := strconv.ParseInt(string(data), 10, 64)
	if err != nil || notNumber != nil || len(user) == 0 || seconds < 0 || len(data) > 12 {
		return
	}
	before := time.Unix(seconds, 0)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if before.After(r.known[string(user)]) {
		r.known[string(user)] = before
	}
}

func (r *Revocations) forget(ctx context.Context) {
	ticker := time.NewTicker(forgetEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			r.mutex.Lock()
			for user, before := range r.known {
				if before.Add(revocationsKept).Before(now) {
					delete(r.known, user)
				}
			}
			r.mutex.Unlock()
		}
	}
}
