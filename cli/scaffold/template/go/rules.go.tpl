package main

import (
	"strings"

	"google.golang.org/grpc/codes"

	"weft.local/weft/mesh/go/rpc/refusal"
)

// Rules of {{a_words}}: no framework, no clock, no database.

// titleOf is a title as it is kept: no spaces around it, single ones within. It refuses with TITLE_BLANK when nothing
// is left.
func titleOf(text string) (string, error) {
	title := strings.Join(strings.Fields(text), " ")
	if title == "" {
		return "", refusal.New(codes.InvalidArgument, "TITLE_BLANK", "the title holds nothing but spaces").
			About("title", "holds nothing but spaces")
	}
	return title, nil
}

// notFound says that there is none with this id, or that it is somebody else's.
func notFound() error {
	return refusal.New(codes.NotFound, "{{THING}}_NOT_FOUND", "no such {{words}}")
}
