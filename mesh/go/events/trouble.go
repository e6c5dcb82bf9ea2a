package events

import (
	"errors"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func isAPIError(err error, codes ...jetstream.ErrorCode) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return slices.Contains(codes, api.ErrorCode)
	}
	return false
}

// isBrokerTrouble tells a broker that is away, slow or without the stream, so that no event would fare better, from
// one that refuses a single event: that must not stop others.
func isBrokerTrouble(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code == 404 || api.Code >= 500
	}
	return !errors.Is(err, nats.ErrPermissionViolation) && !errors.Is(err, nats.ErrMaxPayload)
}
