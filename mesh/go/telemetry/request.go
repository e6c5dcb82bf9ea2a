// Package telemetry has what a process tells of its work: log lines, spans and numbers, under the names that
// mesh/runtime/telemetry uses.
package telemetry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Request is what belongs to one request and travels with it through every hop.
type Request struct {
	// ID joins everything done for one request (header X-Request-ID).
	ID string
	// TraceID and SpanID are 32 and 16 hex digits (W3C Trace Context, section 3.2.2); TraceFlags two.
	TraceID, SpanID, TraceFlags string
	// Trace takes the spans of what is done; nil where nobody collects them.
	Trace *LocalTrace
}

type requestKey struct{}

// NewContext returns a context in which request is the one being served.
func NewContext(ctx context.Context, request *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, request)
}

// FromContext is the request being served; nil outside of one.
func FromContext(ctx context.Context) *Request {
	request, _ := ctx.Value(requestKey{}).(*Request)
	return request
}

// Traceparent is the header's value for work that this request causes.
func (r *Request) Traceparent() string {
	return traceparent(r.TraceID, r.SpanID, r.TraceFlags)
}

func traceparent(traceID, spanID, flags string) string {
	return "00-" + traceID + "-" + spanID + "-" + flags
}

var requestIDPattern = regexp.MustCompile(`^[\w.:-]{1,128}$`)

// requestIDFrom takes the id that a caller sent if it is one, so that nobody injects text into logs.
func requestIDFrom(sent string) string {
	if requestIDPattern.MatchString(sent) {
		return sent
	}
	return uuid.NewString()
}

var traceparentPattern = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$`)

type parent struct {
	traceID, spanID string
	sampled         bool
}

// parseTraceparent is nil for what W3C Trace Context (section 3.2) does not allow; later versions are read as far
// as they are known.
func parseTraceparent(text string) *parent {
	match := traceparentPattern.FindStringSubmatch(text)
	if match == nil || match[1] == "ff" || (match[1] == "00" && match[5] != "") {
		return nil
	}
	if strings.Trim(match[2], "0") == "" || strings.Trim(match[3], "0") == "" {
		return nil
	}
	flags, _ := strconv.ParseUint(match[4], 16, 8)
	return &parent{traceID: match[2], spanID: match[3], sampled: flags&1 == 1}
}

func randomHex(bytes int) string {
	buffer := make([]byte, bytes)
	rand.Read(buffer) // never fails
	return hex.EncodeToString(buffer)
}
