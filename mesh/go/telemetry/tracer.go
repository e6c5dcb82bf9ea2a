package telemetry

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// SpanKind has the values of Span.SpanKind in opentelemetry/proto/trace/v1.
type SpanKind int32

const (
	Internal SpanKind = iota + 1
	Server
	Client
	Producer
	Consumer
)

// Attribute is a name of the semantic conventions with a string, an int64 or a bool; never a value that a person
// typed.
type Attribute struct {
	Name  string
	Value any
}

// SpanType is what a span is called and what is known of it before it starts.
type SpanType struct {
	Name       string
	Kind       SpanKind
	Attributes []Attribute
}

// Span is one that has ended.
type Span struct {
	Type *SpanType
	// TraceID, SpanID and ParentSpanID are hex digits; the last is "" for the root of a trace.
	TraceID, SpanID, ParentSpanID string
	ParentIsRemote                bool
	StartedAt, EndedAt            time.Time
	// More became known only during the work.
	More []Attribute
	// Error is the value of error.type: a code or a class, never a text; "": the work did not fail.
	Error     string
	RequestID string
	// Sampled says whether the trace was chosen at its root; others are kept for their errors or slowness.
	Sampled bool
}

// heldLimit bounds the spans of one LocalTrace that wait until it is known whether they will be sent.
const heldLimit = 128

// Tracer begins a process's part of traces.
type Tracer struct {
	ratio float64
	sink  func(Span)
}

// Open makes the request for work that arrives with these ids; what is missing or malformed is replaced.
func (t *Tracer) Open(requestID, traceparent string) *Request {
	request := &Request{ID: requestIDFrom(requestID), SpanID: randomHex(8), TraceFlags: "00"}
	came := parseTraceparent(traceparent)
	parentSpanID, sampled := "", rand.Float64() < t.ratio
	if came == nil {
		request.TraceID = randomHex(16)
	} else {
		request.TraceID, parentSpanID, sampled = came.traceID, came.spanID, came.sampled
	}
	if sampled {
		request.TraceFlags = "01"
	}
	if t.sink != nil {
		request.Trace = &LocalTrace{
			sink:         t.sink,
			traceID:      request.TraceID,
			parentSpanID: parentSpanID,
			sampled:      sampled,
			keep:         sampled,
			requestID:    request.ID,
			startedAt:    time.Now(),
		}
	}
	return request
}

// LocalTrace holds the spans of one piece of incoming work. They are sent if the trace was chosen where it began,
// something in it failed, or the work was slow.
type LocalTrace struct {
	sink                             func(Span)
	traceID, parentSpanID, requestID string
	sampled                          bool
	startedAt                        time.Time

	mutex sync.Mutex
	keep  bool
	ended bool
	held  []Span
}

// Part is a span of work within a request.
type Part struct {
	Type         *SpanType
	SpanID       string
	ParentSpanID string
	StartedAt    time.Time
	More         []Attribute
	Error        string
}

// Add adds a span that ends now.
func (l *LocalTrace) Add(part Part) {
	spanID := part.SpanID
	if spanID == "" {
		spanID = randomHex(8)
	}
	span := Span{
		Type: part.Type, TraceID: l.traceID, SpanID: spanID, ParentSpanID: part.ParentSpanID,
		StartedAt: part.StartedAt, EndedAt: time.Now(), More: part.More, Error: part.Error,
		RequestID: l.requestID, Sampled: l.sampled,
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.sampled || (l.ended && l.keep) {
		l.sink(span)
	} else if !l.ended && len(l.held) < heldLimit {
		l.held = append(l.held, span)
	}
}

// Ending is how incoming work ended.
type Ending struct {
	// Slow is the time from which on the work is worth a look; 0: no time is too long.
	Slow time.Duration
	More []Attribute
	// Error is the value of error.type of a failure that is ours, not the caller's.
	Error string
}

// End ends the incoming work, whose own span has this id.
func (l *LocalTrace) End(spanID string, kind *SpanType, ending Ending) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.ended {
		return
	}
	l.ended = true
	endedAt := time.Now()
	if ending.Error != "" || (ending.Slow > 0 && endedAt.Sub(l.startedAt) > ending.Slow) {
		l.keep = true
	}
	if l.keep {
		for _, span := range l.held {
			l.sink(span)
		}
		l.sink(Span{
			Type: kind, TraceID: l.traceID, SpanID: spanID, ParentSpanID: l.parentSpanID,
			ParentIsRemote: l.parentSpanID != "", StartedAt: l.startedAt, EndedAt: endedAt,
			More: ending.More, Error: ending.Error, RequestID: l.requestID, Sampled: l.sampled,
		})
	}
	l.held = nil
}

// Run runs work as this process's part of a trace, under a span of its own.
func (t *Tracer) Run(
	ctx context.Context, kind *SpanType, requestID, traceparent string, ending Ending,
	errorType func(error) string, work func(context.Context, *Request) error,
) error {
	request := t.Open(requestID, traceparent)
	err := work(NewContext(ctx, request), request)
	if err != nil {
		ending.Error = errorType(err)
	}
	if request.Trace != nil {
		request.Trace.End(request.SpanID, kind, ending)
	}
	return err
}

// InSpan runs work under a span of its own within the request being served; without a trace it only runs it.
func InSpan(ctx context.Context, kind *SpanType, errorType func(error) string, work func(context.Context) error) error {
	request := FromContext(ctx)
	if request == nil || request.Trace == nil {
		return work(ctx)
	}
	within := *request
	within.SpanID = NewSpanID()
	part := Part{Type: kind, SpanID: within.SpanID, ParentSpanID: request.SpanID, StartedAt: time.Now()}
	err := work(NewContext(ctx, &within))
	if err != nil {
		part.Error = errorType(err)
	}
	request.Trace.Add(part)
	return err
}

// NewSpanID makes an id for a span that others will have as parent.
func NewSpanID() string { return randomHex(8) }

// ChildTraceparent is the header's value for work that a span within the request causes.
func (r *Request) ChildTraceparent(spanID string) string {
	return traceparent(r.TraceID, spanID, r.TraceFlags)
}
