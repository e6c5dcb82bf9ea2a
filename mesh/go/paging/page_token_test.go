package paging

import (
	"errors"
	"testing"

	"weft.local/weft/mesh/go/rpc/refusal"
)

const (
	position = "0199a0b2-7b1c-7c3f-9d2e-1f2a3b4c5d6e"
	// What pageTokens of mesh/runtime/paging/page-token.ts writes for the filters below.
	token = "AZ_oCrhtjv-wSbzYrTu2HhEiMDE5OWEwYjItN2IxYy03YzNmLTlkMmUtMWYyYTNiNGM1ZDZlIg"
)

var filters = []string{"a<b", "é"}

func TestTokensAreThoseOfTheOtherRuntime(t *testing.T) {
	if got := Token(filters, position); got != token {
		t.Errorf("%s", got)
	}
	var read string
	if ok, err := Read(filters, token, &read); !ok || err != nil || read != position {
		t.Errorf("%v, %v, %q", ok, err, read)
	}
	if ok, err := Read(filters, "", &read); ok || err != nil {
		t.Errorf("the first page: %v, %v", ok, err)
	}
}

func TestWhatNoReplyGaveIsRefused(t *testing.T) {
	for what, try := range map[string]struct {
		filters []string
		token   string
	}{
		"no base64url":         {filters, "x y"},
		"too short":            {filters, "AQ"},
		"damaged":              {filters, token[:30] + "A" + token[31:]},
		"of other filters":     {[]string{"a"}, token},
		"of another kind":      {filters, Token(filters, 7)},
		"of a version to come": {filters, "Ag" + token[2:]},
		"not canonical":        {filters, token + "="},
	} {
		var read string
		_, err := Read(try.filters, try.token, &read)
		if refused := (*refusal.Refusal)(nil); !errors.As(err, &refused) || refused.Reason != "PAGE_TOKEN_INVALID" {
			t.Errorf("%s: %v", what, err)
		}
	}
}
