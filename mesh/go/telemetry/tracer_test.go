package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
)

func TestTraceparentIsReadAsTheW3CHasIt(t *testing.T) {
	for text, sampled := range map[string]bool{
		"00-" + traceID + "-" + spanID + "-01":       true,
		"00-" + traceID + "-" + spanID + "-00":       false,
		"01-" + traceID + "-" + spanID + "-01-later": true,
	} {
		if parent := parseTraceparent(text); parent == nil || parent.traceID != traceID || parent.spanID != spanID || parent.sampled != sampled {
			t.Errorf("%s: %+v", text, parent)
		}
	}
	for _, text := range []string{
		"", "00-" + traceID + "-" + spanID, "ff-" + traceID + "-" + spanID + "-01", "00-" + traceID + "-" + spanID + "-01-more",
		"00-00000000000000000000000000000000-" + spanID + "-01", "00-" + traceID + "-0000000000000000-01",
		"00-" + traceID + "-" + spanID + "-0G",
	} {
		if parent := parseTraceparent(text); parent != nil {
			t.Errorf("%q: %+v", text, parent)
		}
	}
}

func TestATraceIsKeptIfItWasChosenOrFailedOrWasSlow(t *testing.T) {
	for what, try := range map[string]struct {
		flags  string
		ending Ending
		spans  int
	}{
		"chosen":     {"01", Ending{Slow: time.Hour}, 2},
		"not chosen": {"00", Ending{Slow: time.Hour}, 0},
		"failed":     {"00", Ending{Slow: time.Hour, Error: "INTERNAL"}, 2},
		"slow":       {"00", Ending{Slow: time.Nanosecond}, 2},
	} {
		var sent []Span
		tracer := &Tracer{sink: func(span Span) { sent = append(sent, span) }}
		request := tracer.Open("", "00-"+traceID+"-"+spanID+"-"+try.flags)
		kind := &SpanType{Name: "x"}
		request.Trace.Add(Part{Type: kind, ParentSpanID: request.SpanID, StartedAt: time.Now()})
		request.Trace.End(request.SpanID, kind, try.ending)
		if len(sent) != try.spans {
			t.Errorf("%s: %d spans", what, len(sent))
		}
		for _, each := range sent {
			if each.TraceID != traceID || len(each.SpanID) != 16 {
				t.Errorf("%s: %+v", what, each)
			}
		}
	}
}

func TestAnIDThatIsNoneIsReplaced(t *testing.T) {
	tracer := &Tracer{}
	if request := tracer.Open("a-good.one", ""); request.ID != "a-good.one" {
		t.Errorf("%q", request.ID)
	}
	if request := tracer.Open("in\njected", ""); request.ID == "in\njected" || len(request.TraceID) != 32 {
		t.Errorf("%+v", request)
	}
}

func TestLogLinesHaveTheFieldsOfEveryProcess(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, "inventory", "info")
	ctx := NewContext(context.Background(), &Request{ID: "r", TraceID: traceID, SpanID: spanID})
	log.Log(ctx, LevelFatal, "it broke", "token", "s3cret",
		Err(&pgconn.PgError{Code: "23505", ConstraintName: "stock_pkey", Message: "s3cret"}))
	log.LogAttrs(ctx, slog.LevelDebug, "not shown")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	for name, value := range map[string]string{
		"level": "fatal", "service": "inventory", "requestId": "r", "traceId": traceID, "spanId": spanID, "msg": "it broke",
		"token": "[redacted]",
	} {
		if line[name] != value {
			t.Errorf("%s: %v", name, line[name])
		}
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", line["time"].(string)); err != nil {
		t.Error(err)
	}
	if bytes.Contains(out.Bytes(), []byte("s3cret")) || line["err"].(map[string]any)["message"] != "SQLSTATE 23505, constraint stock_pkey" {
		t.Errorf("%s", out.String())
	}
}
