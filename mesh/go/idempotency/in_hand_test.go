package idempotency

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func TestCallsOfOneKeyAreHandledOneAfterTheOther(t *testing.T) {
	turns := turns{running: map[string]chan struct{}{}}
	var calls sync.WaitGroup
	inside, done := 0, 0 // guarded by the turns alone: go test -race would tell, and so do the sums
	for range 100 {
		calls.Go(func() {
			release, err := turns.take(t.Context(), "key")
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			if inside++; inside != 1 {
				t.Errorf("%d at once", inside)
			}
			inside--
			done++
		})
	}
	calls.Wait()
	if done != 100 || len(turns.running) != 0 {
		t.Errorf("%d done, %d left", done, len(turns.running))
	}
}

func TestOtherKeysDoNotWaitAndACallerWhoGoesDoesNotEither(t *testing.T) {
	turns := turns{running: map[string]chan struct{}{}}
	release, _ := turns.take(t.Context(), "a")
	defer release()
	if other, err := turns.take(t.Context(), "b"); err != nil {
		t.Error(err)
	} else {
		other()
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := turns.take(gone, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
