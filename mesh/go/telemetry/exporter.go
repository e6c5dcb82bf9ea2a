package telemetry

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	longestPause = 30 * time.Second
	lastTry      = 2 * time.Second
)

// exporter sends spans to a collector over OTLP/HTTP, a batch at a time. What waits is bounded: while the
// collector is away, the newest spans are dropped and counted, and calls go on.
type exporter struct {
	settings  *Settings
	resource  *resource.Resource
	client    *http.Client
	onTrouble func(problem string)

	mutex                      sync.Mutex
	waiting                    []Span
	exported, dropped, refused float64
	full                       chan struct{}
	stopping, stopped          chan struct{}
}

func startExporter(settings *Settings, about []Attribute, onTrouble func(string)) *exporter {
	e := &exporter{
		settings:  settings,
		resource:  &resource.Resource{Attributes: keyValues(about)},
		client:    &http.Client{Timeout: settings.Timeout},
		onTrouble: onTrouble,
		full:      make(chan struct{}, 1),
		stopping:  make(chan struct{}),
		stopped:   make(chan struct{}),
	}
	go e.run()
	return e
}

func (e *exporter) add(span Span) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if len(e.waiting) >= e.settings.QueueLimit {
		e.dropped++
		return
	}
	e.waiting = append(e.waiting, span)
	if len(e.waiting) >= e.settings.BatchLimit {
		select {
		case e.full <- struct{}{}:
		default:
		}
	}
}

func (e *exporter) run() {
	defer close(e.stopped)
	failures := 0
	wait := e.settings.Delay
	for {
		full := e.full
		if failures > 0 {
			full = nil // the pause after a failure is not cut short
		}
		select {
		case <-time.After(wait):
		case <-full:
		case <-e.stopping:
			end := time.Now().Add(lastTry)
			for failures == 0 && time.Now().Before(end) {
				sent, pause := e.sendBatch()
				if !sent {
					return
				}
				if pause >= 0 {
					failures++
				}
			}
			return
		}
		_, pause := e.sendBatch()
		if pause < 0 {
			failures, wait = 0, e.settings.Delay
			continue
		}
		failures++
		wait = min(longestPause, time.Second<<min(failures-1, 5))
		if pause > 0 {
			wait = pause
		}
	}
}

// sendBatch tells whether there was anything to send, and, when it failed, how long to wait: 0 for a pause of our
// own, less for none.
func (e *exporter) sendBatch() (sent bool, pause time.Duration) {
	e.mutex.Lock()
	batch := e.waiting[:min(len(e.waiting), e.settings.BatchLimit)]
	e.waiting = append([]Span(nil), e.waiting[len(batch):]...)
	e.mutex.Unlock()
	if len(batch) == 0 {
		return false, -1
	}
	status, pause, problem := e.post(batch)
	e.mutex.Lock()
	defer e.mutex.Unlock()
	switch {
	case status >= 200 && status < 300:
		e.exported += float64(len(batch))
		return true, -1
	case status == 0 || status == 429 || status == 502 || status == 503 || status == 504:
		room := max(0, e.settings.QueueLimit-len(e.waiting))
		kept := batch[:min(room, len(batch))]
		e.dropped += float64(len(batch) - len(kept))
		e.waiting = append(append([]Span(nil), kept...), e.waiting...)
	default:
		e.refused += float64(len(batch)) // it would be refused again
	}
	e.onTrouble(problem)
	return true, pause
}

func (e *exporter) post(batch []Span) (status int, pause time.Duration, problem string) {
	// The same bytes as ExportTraceServiceRequest, whose package would bring a gateway along.
	body, err := proto.Marshal(&trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{
		Resource: e.resource,
		ScopeSpans: []*trace.ScopeSpans{{
			Scope: &common.InstrumentationScope{Name: "weft"},
			Spans: encodeSpans(batch),
		}},
	}}})
	if err != nil {
		return 400, 0, err.Error()
	}
	request, err := http.NewRequest(http.MethodPost, e.settings.TracesURL, bytes.NewReader(body))
	if err != nil {
		return 400, 0, err.Error()
	}
	request.Header.Set("content-type", "application/x-protobuf")
	for name, value := range e.settings.Headers {
		request.Header.Set(name, value)
	}
	response, err := e.client.Do(request)
	if err != nil {
		return 0, 0, fmt.Sprintf("%T", err) // its text holds the URL
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 64*1024))
	if seconds, err := strconv.Atoi(response.Header.Get("retry-after")); err == nil && seconds > 0 {
		pause = min(time.Duration(seconds)*time.Second, longestPause)
	}
	return response.StatusCode, pause, fmt.Sprintf("HTTP %d", response.StatusCode)
}

// stop sends what waits, for two seconds at most.
func (e *exporter) stop() {
	close(e.stopping)
	select {
	case <-e.stopped:
	case <-time.After(lastTry):
	}
}

func (e *exporter) counts() (exported, dropped, refused float64) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.exported, e.dropped, e.refused
}

func encodeSpans(spans []Span) []*trace.Span {
	encoded := make([]*trace.Span, len(spans))
	for i, span := range spans {
		attributes := append(keyValues(span.Type.Attributes), keyValues(span.More)...)
		attributes = append(attributes, keyValues([]Attribute{{"weft.request.id", span.RequestID}})...)
		var status *trace.Status
		if span.Error != "" {
			attributes = append(attributes, keyValues([]Attribute{{"error.type", span.Error}})...)
			status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR}
		}
		var flags uint32
		if span.Sampled {
			flags = 1
		}
		if span.ParentSpanID != "" {
			flags |= uint32(trace.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK)
			if span.ParentIsRemote {
				flags |= uint32(trace.SpanFlags_SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK)
			}
		}
		encoded[i] = &trace.Span{
			TraceId:           fromHex(span.TraceID),
			SpanId:            fromHex(span.SpanID),
			ParentSpanId:      fromHex(span.ParentSpanID),
			Name:              span.Type.Name,
			Kind:              trace.Span_SpanKind(span.Type.Kind),
			StartTimeUnixNano: uint64(span.StartedAt.UnixNano()),
			EndTimeUnixNano:   uint64(span.EndedAt.UnixNano()),
			Attributes:        attributes,
			Status:            status,
			Flags:             flags,
		}
	}
	return encoded
}

func keyValues(attributes []Attribute) []*common.KeyValue {
	list := make([]*common.KeyValue, 0, len(attributes)+2)
	for _, attribute := range attributes {
		value := &common.AnyValue{}
		switch typed := attribute.Value.(type) {
		case string:
			value.Value = &common.AnyValue_StringValue{StringValue: typed}
		case int:
			value.Value = &common.AnyValue_IntValue{IntValue: int64(typed)}
		case bool:
			value.Value = &common.AnyValue_BoolValue{BoolValue: typed}
		}
		list = append(list, &common.KeyValue{Key: attribute.Name, Value: value})
	}
	return list
}

func fromHex(text string) []byte {
	bytes, _ := hex.DecodeString(text)
	return bytes
}
