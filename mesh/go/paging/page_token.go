// Package paging makes and reads page tokens (AIP-158): behind which row the next page starts, and for which filters.
//
//	base64url( version 1 byte | checksum 8 | filters 8 | position, JSON )
//
// They are those of mesh/runtime/paging, which says why they need no key.
package paging

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"google.golang.org/grpc/codes"

	"weft.local/weft/mesh/go/rpc/refusal"
)

const (
	version    = 1
	hashLength = 8
	headLength = 1 + 2*hashLength
)

// Token is the token of the page behind position, a value that JSON can hold; filters in a fixed order.
func Token(filters []string, position any) string {
	body := append(hash(asJSON(filters)), asJSON(position)...)
	token := append([]byte{version}, hash(body)...)
	return base64.RawURLEncoding.EncodeToString(append(token, body...))
}

// Read stores what a token stands for in position, and tells whether there was one: the first page has none. It
// refuses with PAGE_TOKEN_INVALID a token that no reply with these filters gave.
func Read(filters []string, token string, position any) (bool, error) {
	if token == "" {
		return false, nil
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(data) <= headLength || data[0] != version {
		return false, Invalid("is not a token of a list reply")
	}
	body := data[1+hashLength:]
	if !bytes.Equal(data[1:1+hashLength], hash(body)) {
		return false, Invalid("is damaged")
	}
	if !bytes.Equal(body[:hashLength], hash(asJSON(filters))) {
		return false, Invalid("belongs to a list with other filters")
	}
	if json.Unmarshal(body[hashLength:], position) != nil {
		return false, Invalid("is not a token of a list reply")
	}
	return true, nil
}

// Invalid refuses a page token.
func Invalid(description string) error {
	return refusal.New(codes.InvalidArgument, "PAGE_TOKEN_INVALID", "page_token "+description).
		About("page_token", description)
}

// asJSON writes what JSON.stringify writes, which leaves <, > and & as they are.
func asJSON(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // a position that JSON cannot hold is the program's mistake
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func hash(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:hashLength:hashLength]
}
