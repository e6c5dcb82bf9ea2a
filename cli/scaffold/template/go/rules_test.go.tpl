package main

import (
	"errors"
	"testing"

	"weft.local/weft/mesh/go/rpc/refusal"
)

func TestATitleIsKeptWithoutNeedlessSpaces(t *testing.T) {
	for given, kept := range map[string]string{
		"as it is": "as it is", "  around ": "around", "in \t between": "in between",
	} {
		if title, err := titleOf(given); err != nil || title != kept {
			t.Errorf("%q is kept as %q: %v", given, title, err)
		}
	}
}

func TestNothingButSpacesIsNoTitle(t *testing.T) {
	for _, text := range []string{"", " ", "\t\n"} {
		_, err := titleOf(text)
		var refused *refusal.Refusal
		if !errors.As(err, &refused) || refused.Reason != "TITLE_BLANK" || refused.Fields[0].Path != "title" {
			t.Errorf("%q: %v", text, err)
		}
	}
}
