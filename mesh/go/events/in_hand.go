package events

import "sync"

// inHand runs a number of jobs at once, those of one key one after the other, in the order in which they came.
type inHand struct {
	hands chan struct{}
	jobs  sync.WaitGroup

	mutex     sync.Mutex
	lastOfKey map[string]chan struct{} // closed when the last job of a key is done
}

func newInHand(most int) *inHand {
	return &inHand{hands: make(chan struct{}, most), lastOfKey: map[string]chan struct{}{}}
}

// do waits for a free hand and starts the job.
func (h *inHand) do(key string, job func()) {
	h.hands <- struct{}{}
	done := make(chan struct{})
	h.mutex.Lock()
	before := h.lastOfKey[key]
	h.lastOfKey[key] = done
	h.mutex.Unlock()
	h.jobs.Go(func() {
		if before != nil {
			<-before
		}
		job()
		h.mutex.Lock()
		if h.lastOfKey[key] == done {
			delete(h.lastOfKey, key)
		}
		h.mutex.Unlock()
		close(done)
		<-h.hands
	})
}

func (h *inHand) isEmpty() bool { return len(h.hands) == 0 }

func (h *inHand) wait() { h.jobs.Wait() }
