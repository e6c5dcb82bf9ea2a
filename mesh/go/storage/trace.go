package storage

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"weft.local/weft/mesh/go/telemetry"
)

// tracer adds a span for each statement to the trace of the work it is made for, by the semantic conventions for
// PostgreSQL. Spans tell operation and table, never a text: statements may hold values.
type tracer struct {
	db    *Database
	types sync.Map // text → *telemetry.SpanType; texts are those of the program, so they are few
}

type startedKey struct{}

type started struct {
	at   time.Time
	text string
}

func (t *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if request := telemetry.FromContext(ctx); request == nil || request.Trace == nil {
		return ctx
	}
	return context.WithValue(ctx, startedKey{}, &started{time.Now(), data.SQL})
}

func (t *tracer) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	if began, ok := ctx.Value(startedKey{}).(*started); ok {
		t.add(ctx, conn, began.text, began.at, data.Err)
	}
}

func (t *tracer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return t.TraceQueryStart(ctx, conn, pgx.TraceQueryStartData{})
}

// TraceBatchQuery is told of the answers one by one: each statement's time begins with the answer before it.
func (t *tracer) TraceBatchQuery(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchQueryData) {
	if began, ok := ctx.Value(startedKey{}).(*started); ok {
		t.add(ctx, conn, data.SQL, began.at, data.Err)
		began.at = time.Now()
	}
}

func (t *tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (t *tracer) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	t.db.pending.Add(1)
	return ctx
}

func (t *tracer) TraceAcquireEnd(context.Context, *pgxpool.Pool, pgxpool.TraceAcquireEndData) {
	t.db.pending.Add(-1)
}

func (t *tracer) add(ctx context.Context, conn *pgx.Conn, text string, at time.Time, err error) {
	request := telemetry.FromContext(ctx)
	part := telemetry.Part{Type: t.typeOf(text, conn.Config()), ParentSpanID: request.SpanID, StartedAt: at}
	if err != nil {
		part.Error = ErrorType(err)
		part.More = []telemetry.Attribute{{Name: "db.response.status_code", Value: part.Error}}
	}
	request.Trace.Add(part)
}

func (t *tracer) typeOf(text string, config *pgx.ConnConfig) *telemetry.SpanType {
	if strings.HasPrefix(text, "begin") {
		text = "begin" // the rest has a number in it
	}
	if known, ok := t.types.Load(text); ok {
		return known.(*telemetry.SpanType)
	}
	made := statementType(text, config.Host, int(config.Port), config.Database)
	t.types.Store(text, made)
	return made
}

var (
	firstWord = regexp.MustCompile(`^[\s(]*(\w+)`)
	written   = regexp.MustCompile(`(?i)\b(insert into|update|delete from)\s+"?(\w+)`)
	read      = regexp.MustCompile(`(?i)\bfrom\s+"?(\w+)`)
)

// statementType is what a statement does, and to which table, as its text says.
func statementType(text, host string, port int, database string) *telemetry.SpanType {
	operation, table := "", ""
	if match := firstWord.FindStringSubmatch(text); match != nil {
		operation = strings.ToUpper(match[1])
	}
	switch operation {
	case "WITH", "INSERT", "UPDATE", "DELETE":
		if match := written.FindStringSubmatch(text); match != nil {
			operation = strings.ToUpper(strings.Fields(match[1])[0])
			table = match[2]
		}
	case "SELECT":
		if match := read.FindStringSubmatch(text); match != nil {
			table = match[1]
		}
	}
	summary := strings.TrimSpace(operation + " " + table)
	if summary == "" {
		summary = "statement"
	}
	attributes := []telemetry.Attribute{
		{Name: "db.system.name", Value: "postgresql"},
		{Name: "db.namespace", Value: database},
		{Name: "db.operation.name", Value: operation},
		{Name: "db.query.summary", Value: summary},
		{Name: "server.address", Value: host},
		{Name: "server.port", Value: port},
	}
	if table != "" {
		attributes = append(attributes, telemetry.Attribute{Name: "db.collection.name", Value: table})
	}
	return &telemetry.SpanType{Name: summary, Kind: telemetry.Client, Attributes: attributes}
}
