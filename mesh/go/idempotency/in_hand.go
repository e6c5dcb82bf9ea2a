package idempotency

import (
	"context"
	"sync"
)

// inHand are the calls of this process; each ends before the next one of its key begins.
var inHand = turns{running: map[string]chan struct{}{}}

type turns struct {
	mutex   sync.Mutex
	running map[string]chan struct{} // closed when the call ends
}

// take waits until no other call has this name. It fails when ctx ends first.
func (t *turns) take(ctx context.Context, name string) (release func(), err error) {
	for {
		t.mutex.Lock()
		before, busy := t.running[name]
		if !busy {
			ended := make(chan struct{})
			t.running[name] = ended
			t.mutex.Unlock()
			return func() {
				t.mutex.Lock()
				delete(t.running, name)
				t.mutex.Unlock()
				close(ended)
			}, nil
		}
		t.mutex.Unlock()
		select {
		case <-before:
		case <-ctx.Done(): // its caller has gone while it waited
			return nil, ctx.Err()
		}
	}
}
