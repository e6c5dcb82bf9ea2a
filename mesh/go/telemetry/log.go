package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// LevelFatal is for what ends the process.
const LevelFatal = slog.Level(12)

var levels = map[string]slog.Level{
	"trace": slog.LevelDebug - 4, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
	"error": slog.LevelError, "silent": slog.Level(100),
}

// secret names usually hold secrets: a second lock behind the rule never to log them.
var secret = map[string]bool{"authorization": true, "password": true, "token": true, "refreshToken": true}

// NewLogger writes JSON lines with the same fields as every other process: level, time, service, and the ids of
// the request that the context belongs to.
func NewLogger(out io.Writer, service, level string) *slog.Logger {
	handler := slog.NewJSONHandler(out, &slog.HandlerOptions{
		Level: levels[level],
		ReplaceAttr: func(groups []string, attribute slog.Attr) slog.Attr {
			if secret[attribute.Key] {
				return slog.String(attribute.Key, "[redacted]")
			}
			if len(groups) > 0 {
				return attribute
			}
			switch attribute.Key {
			case slog.TimeKey:
				return slog.String("time", attribute.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
			case slog.LevelKey:
				return slog.String("level", levelName(attribute.Value.Any().(slog.Level)))
			}
			return attribute
		},
	})
	return slog.New(withRequest{handler}).With("service", service)
}

func levelName(level slog.Level) string {
	if level >= LevelFatal {
		return "fatal"
	}
	return strings.ToLower(level.String())
}

// withRequest adds the ids of the request being served.
type withRequest struct{ slog.Handler }

func (h withRequest) Handle(ctx context.Context, record slog.Record) error {
	if request := FromContext(ctx); request != nil {
		record.AddAttrs(
			slog.String("requestId", request.ID),
			slog.String("traceId", request.TraceID),
			slog.String("spanId", request.SpanID),
		)
	}
	return h.Handler.Handle(ctx, record)
}

func (h withRequest) WithAttrs(attributes []slog.Attr) slog.Handler {
	return withRequest{h.Handler.WithAttrs(attributes)}
}

func (h withRequest) WithGroup(name string) slog.Handler {
	return withRequest{h.Handler.WithGroup(name)}
}

// Err is the attribute for an error. Texts of the database may repeat anybody's data: of those only the state and
// the constraint are kept.
func Err(err error) slog.Attr {
	return slog.Group("err", slog.String("type", fmt.Sprintf("%T", err)), slog.String("message", SafeText(err)))
}

// SafeText is the text of an error with the same care.
func SafeText(err error) string {
	var database *pgconn.PgError
	if !errors.As(err, &database) {
		return err.Error()
	}
	if database.ConstraintName != "" {
		return fmt.Sprintf("SQLSTATE %s, constraint %s", database.Code, database.ConstraintName)
	}
	return "SQLSTATE " + database.Code
}

// Milliseconds is a duration as log lines have it, with a tenth.
func Milliseconds(took time.Duration) float64 {
	return float64(took.Round(100*time.Microsecond).Microseconds()) / 1_000
}
