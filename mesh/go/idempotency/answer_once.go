// Package idempotency lets a method that requires an Idempotency-Key have one effect and one reply for each (user,
// route, key), however often and however concurrently it is called, and whatever process dies when: the reply is
// stored in the transaction of the effect, in the table that mesh/runtime/idempotency has, too.
//
// Calls of one process are handled one after the other for each key. Of those of several processes the first to store
// its reply wins; the others roll back all that they did, and answer what it has stored. A refusal has no effect and
// is not stored: the same key may try again. Effects outside of the service's own database do not belong into such a
// handler: leave them to events.
package idempotency

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"weft.local/weft/mesh/go/rpc"
	"weft.local/weft/mesh/go/storage"
)

// KeepReply stores a reply in the transaction of its effect, which must be rolled back when this fails. The handler
// answers exactly this reply.
type KeepReply[Reply proto.Message] func(ctx context.Context, tx *storage.Tx, reply Reply) error

// pointer is a message of the generated type T.
type pointer[T any] interface {
	*T
	proto.Message
}

// AnswerOnce runs handle once for each key, in the handler of a method whose policy requires an Idempotency-Key.
func AnswerOnce[T any, Reply pointer[T]](
	ctx context.Context, db *storage.Database, request proto.Message, handle func(KeepReply[Reply]) error,
) (Reply, error) {
	call, err := keyedCallOf(ctx, request)
	if err != nil {
		return nil, err
	}
	release, err := inHand.take(ctx, fmt.Sprintf("%p %q %q %q", db, call.Route, call.User, call.Key.Key))
	if err != nil {
		return nil, err
	}
	defer release()

	bytes, err := findReply(ctx, db, call)
	if err != nil {
		return nil, err
	}
	if bytes == nil {
		err = handle(func(ctx context.Context, tx *storage.Tx, reply Reply) (err error) {
			if bytes, err = proto.Marshal(reply); err != nil {
				return err
			}
			if bytes == nil {
				bytes = []byte{} // a reply without content is one
			}
			return insertReply(ctx, tx, call, bytes)
		})
		if errors.Is(err, errAnsweredMeanwhile) {
			bytes, err = findReply(ctx, db, call) // by another process
			if err == nil && bytes == nil {
				err = inFlight()
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if bytes == nil {
		return nil, fmt.Errorf("%s has not kept its reply", call.Route)
	}
	reply := Reply(new(T))
	return reply, proto.Unmarshal(bytes, reply)
}

// keyedCall is a call that carries a key.
type keyedCall struct {
	rpc.Key
	// fingerprint is the SHA-256 of the request message.
	fingerprint []byte
}

func keyedCallOf(ctx context.Context, request proto.Message) (*keyedCall, error) {
	key, ok := rpc.TakeKey(ctx)
	if !ok {
		return nil, errors.New("the policy of this method does not require an Idempotency-Key")
	}
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(bytes)
	return &keyedCall{Key: key, fingerprint: sum[:]}, nil
}
