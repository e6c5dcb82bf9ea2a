package rpc

import (
	"context"
	"fmt"
	"regexp"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"weft.local/weft/mesh/go/rpc/refusal"
)

// Key is the Idempotency-Key of a call, and whose it is.
type Key struct {
	// User is the signed-in user's id, or "service:NAME" for a service that calls on its own behalf.
	User string
	// Route is the full name of the method: "library.v1.LendingService/LendBook".
	Route string
	Key   string
}

// TakeKey hands a call's key to whoever answers by it; false where the contract does not ask for one.
func TakeKey(ctx context.Context) (Key, bool) {
	c := callOf(ctx)
	if c == nil || c.key == "" {
		return Key{}, false
	}
	c.keyTaken = true
	user := "service:" + c.caller
	if c.principal != nil {
		user = c.principal.ID
	}
	return Key{User: user, Route: c.name, Key: c.key}, true
}

// requireKey refuses a call without an Idempotency-Key where the contract asks for one. A handler that makes no use
// of it is an error, so that no contract promises what its service does not hold.
func (s *Server) requireKey(ctx context.Context, c *call, request any, next grpc.UnaryHandler) (any, error) {
	if !c.policy.IdempotencyKeyRequired {
		return next(ctx, request)
	}
	key, err := checkKey(c.header.Get("idempotency-key"))
	if err != nil {
		return nil, err
	}
	c.key = key
	reply, err := next(ctx, request)
	if err == nil && !c.keyTaken {
		return nil, fmt.Errorf("the handler of %s does not answer by idempotency.AnswerOnce", c.name)
	}
	return reply, err
}

// keyPattern is 1 to 255 visible ASCII characters (draft-ietf-httpapi-idempotency-key-header).
var keyPattern = regexp.MustCompile(`^[\x21-\x7e]{1,255}$`)

func checkKey(values []string) (string, error) {
	if len(values) == 0 || values[0] == "" {
		return "", refusal.New(codes.InvalidArgument, "IDEMPOTENCY_KEY_MISSING", "header Idempotency-Key is required").
			About("Idempotency-Key", "send a unique value with each new request")
	}
	if len(values) > 1 || !keyPattern.MatchString(values[0]) {
		return "", refusal.New(codes.InvalidArgument, "IDEMPOTENCY_KEY_INVALID", "header Idempotency-Key is malformed").
			About("Idempotency-Key", "1 to 255 visible ASCII characters")
	}
	return values[0], nil
}
