package storage

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"weft.local/weft/mesh/go/telemetry"
)

const (
	pruneInterval = 10 * time.Minute
	pruneTimeout  = time.Minute
)

// PruneNowAndThen runs prune every ten minutes, for a minute at most, until ctx ends. The log line failed tells of one
// that did not succeed; the next one tries again.
func PruneNowAndThen(ctx context.Context, log *slog.Logger, failed string, prune func(context.Context) error) {
	ticker := time.NewTicker(pruneInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			limited, cancel := context.WithTimeout(ctx, pruneTimeout)
			if err := prune(limited); err != nil && !errors.Is(err, context.Canceled) {
				log.Warn(failed, telemetry.Err(err))
			}
			cancel()
		}
	}
}
