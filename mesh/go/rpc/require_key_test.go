package rpc

import (
	"errors"
	"strings"
	"testing"

	"weft.local/weft/mesh/go/rpc/refusal"
)

func TestAKeyIsVisibleASCII(t *testing.T) {
	for _, try := range []struct {
		values []string
		reason string
	}{
		{[]string{"a"}, ""},
		{[]string{strings.Repeat("~", 255)}, ""},
		{nil, "IDEMPOTENCY_KEY_MISSING"},
		{[]string{""}, "IDEMPOTENCY_KEY_MISSING"},
		{[]string{strings.Repeat("a", 256)}, "IDEMPOTENCY_KEY_INVALID"},
		{[]string{"a b"}, "IDEMPOTENCY_KEY_INVALID"},
		{[]string{"é"}, "IDEMPOTENCY_KEY_INVALID"},
		{[]string{"a", "b"}, "IDEMPOTENCY_KEY_INVALID"},
	} {
		_, err := checkKey(try.values)
		reason := ""
		if refused := (*refusal.Refusal)(nil); errors.As(err, &refused) {
			reason = refused.Reason
		}
		if reason != try.reason {
			t.Errorf("%q: %q, not %q", try.values, reason, try.reason)
		}
	}
}
