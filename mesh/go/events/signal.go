package events

import (
	"sync"

	"weft.local/weft/mesh/go/storage"
)

// listeners are the relays of this process, by database: a commit with events wakes them, so that they need not
// wait for their next poll.
var listeners sync.Map // *storage.Database → chan struct{}

func listen(db *storage.Database) <-chan struct{} {
	signal, _ := listeners.LoadOrStore(db, make(chan struct{}, 1))
	return signal.(chan struct{})
}

func announce(db *storage.Database) {
	signal, ok := listeners.Load(db)
	if !ok {
		return
	}
	select {
	case signal.(chan struct{}) <- struct{}{}:
	default: // it has been told already
	}
}
