package events

import "time"

const (
	firstWait   = time.Second
	longestWait = time.Minute
	// blockedLimit is the number of keys remembered. Beyond it one is forgotten, and tried again at once.
	blockedLimit = 1_000
)

// blockedKeys remembers how long each key has to wait whose event is refused: 1 s to 60 s, doubling. Used by one
// goroutine.
type blockedKeys struct {
	keys map[string]blockedKey
}

type blockedKey struct {
	until time.Time
	wait  time.Duration
}

// current has the keys that have to wait now. A key is kept for a while after its wait, so that the next refusal
// doubles it.
func (b *blockedKeys) current() []string {
	waiting := []string{}
	now := time.Now()
	for key, each := range b.keys {
		if now.After(each.until.Add(longestWait)) {
			delete(b.keys, key)
		} else if now.Before(each.until) {
			waiting = append(waiting, key)
		}
	}
	return waiting
}

func (b *blockedKeys) block(key string) time.Duration {
	wait := min(longestWait, max(firstWait, 2*b.keys[key].wait))
	if b.keys == nil {
		b.keys = map[string]blockedKey{}
	}
	if len(b.keys) >= blockedLimit {
		for any := range b.keys {
			delete(b.keys, any)
			break
		}
	}
	b.keys[key] = blockedKey{time.Now().Add(wait), wait}
	return wait
}
