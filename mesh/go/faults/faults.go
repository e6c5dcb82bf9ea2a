// Package faults does to calls on purpose what a list on the bus asks for (mesh/runtime/faults). Development only.
package faults

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"weft.local/weft/mesh/go/events"
)

const (
	stream = "KV_weft_faults"
	entry  = "$KV.weft_faults.all"
	most   = 200
)

type fault struct {
	// Method is "pkg.v1.Service/Method", or "pkg.v1.Service/*".
	Method string `json:"method"`
	Abort  *struct {
		Share float64 `json:"share"`
		Code  string  `json:"code"`
	} `json:"abort"`
	Delay *struct {
		Share        float64 `json:"share"`
		Milliseconds int64   `json:"ms"`
	} `json:"delay"`
	// Until is in milliseconds since 1970.
	Until int64 `json:"until"`
}

// Faults is the list as this process knows it.
type Faults struct {
	known atomic.Pointer[map[string]fault]
}

// Follow follows the list until ctx ends. While the bus is away nothing changes.
func Follow(ctx context.Context, bus *events.Bus, log *slog.Logger) *Faults {
	f := &Faults{}
	take := func(_ string, data []byte) {
		list, err := parse(data)
		if err != nil {
			log.Warn("the list of faults cannot be read; going on with what was known", "problem", err.Error())
			return
		}
		known := map[string]fault{}
		methods := []string{}
		for _, each := range list {
			known[each.Method] = each
			methods = append(methods, each.Method)
		}
		f.known.Store(&known)
		log.Warn("faults are injected on purpose", "faults", methods)
	}
	go bus.FollowEntry(ctx, stream, entry, take, log)
	return f
}

func parse(data []byte) ([]fault, error) {
	var list struct {
		Faults []fault `json:"faults"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	if len(list.Faults) > most {
		return nil, errors.New("too many faults")
	}
	return list.Faults, nil
}

// Inject delays or aborts the share of calls that a fault of their method asks for.
func (f *Faults) Inject(ctx context.Context, service, method string) error {
	known := f.known.Load()
	if known == nil || len(*known) == 0 {
		return nil
	}
	found, ok := (*known)[service+"/"+method]
	if !ok {
		found, ok = (*known)[service+"/*"]
	}
	if !ok || time.Now().UnixMilli() >= found.Until {
		return nil
	}
	if found.Delay != nil && rand.Float64() < found.Delay.Share {
		select {
		case <-time.After(time.Duration(found.Delay.Milliseconds) * time.Millisecond):
		case <-ctx.Done(): // a caller that has given up is not waited for
			return status.FromContextError(ctx.Err()).Err()
		}
	}
	if found.Abort != nil && rand.Float64() < found.Abort.Share {
		var code codes.Code
		if code.UnmarshalJSON([]byte(`"`+found.Abort.Code+`"`)) != nil {
			code = codes.Unknown
		}
		return status.Error(code, "a fault injected on purpose")
	}
	return nil
}
