package events

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"
)

// received is an event as it came: what cloudEvent has written.
type received struct {
	id, typeName, key      string
	requestID, traceparent string
	version                *int64
	time                   time.Time
	data                   []byte
}

// malformed is a message that is not a CloudEvent as this mesh writes them. Trying again cannot help.
type malformed struct{ problem string }

func (m *malformed) Error() string { return m.problem }

func notAnEvent(format string, values ...any) error {
	return &malformed{fmt.Sprintf(format, values...)}
}

var (
	sequence = regexp.MustCompile(`^-?\d{1,20}$`)
	// timestamp is RFC 3339, section 5.6, in any case of letters.
	timestamp = regexp.MustCompile(`(?i)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)
)

// decodeCloudEvent reads an event; unknown attributes are ignored, as CloudEvents demands. The error names the header
// and what is wrong with it; what was read until then is there, too.
func decodeCloudEvent(header nats.Header, data []byte) (*received, error) {
	event := &received{data: data}
	var problem error
	get := func(name string) string {
		values := header[name] // as written: NATS headers are case-sensitive
		if len(values) > 1 && problem == nil {
			problem = notAnEvent("header %s is given %d times", name, len(values))
		}
		if len(values) == 0 {
			return ""
		}
		value, err := url.PathUnescape(values[0])
		if (err != nil || !utf8.ValidString(value)) && problem == nil {
			problem = notAnEvent("header %s is not percent-encoded UTF-8", name)
		}
		return value
	}
	need := func(name string, limit int) string {
		value := get(name)
		if problem != nil {
			return ""
		}
		if value == "" {
			problem = notAnEvent("header %s is missing", name)
		} else if utf8.RuneCountInString(value) > limit {
			problem = notAnEvent("header %s is longer than %d characters", name, limit)
		}
		return value
	}
	for name, expected := range map[string]string{"ce-specversion": "1.0", "content-type": "application/protobuf"} {
		if value := need(name, 1_024); problem == nil && value != expected {
			problem = notAnEvent("header %s is %q, not %q", name, value, expected)
		}
	}
	id := need("ce-id", 255)
	if messageID := get("Nats-Msg-Id"); problem == nil && messageID != "" && messageID != id {
		problem = notAnEvent("header Nats-Msg-Id differs from ce-id")
	}
	need("ce-source", 1_024)
	typeName, at, key := need("ce-type", 1_024), need("ce-time", 1_024), need("ce-partitionkey", 1_024)
	version := get("ce-sequence")
	requestID, traceparent := get("x-request-id"), get("ce-traceparent")
	if problem != nil {
		return nil, problem
	}
	event.id, event.typeName, event.key = id, typeName, key
	event.requestID, event.traceparent = requestID, traceparent
	var err error
	if event.time, err = time.Parse(time.RFC3339, at); err != nil || !timestamp.MatchString(at) {
		return nil, notAnEvent("header ce-time is not an RFC 3339 timestamp")
	}
	if version != "" {
		number, err := strconv.ParseInt(version, 10, 64)
		if err != nil || !sequence.MatchString(version) {
			return nil, notAnEvent("header ce-sequence is not a whole number")
		}
		event.version = &number
	}
	return event, nil
}

// decodeBody reads the message of an event into body. It fails when that is not what contract and headers say.
func decodeBody(c *contract, event *received, body proto.Message) error {
	if event.typeName != c.typeName {
		return notAnEvent("the type is %q, not %q", fmt.Sprintf("%.200s", event.typeName), c.typeName)
	}
	if proto.Unmarshal(event.data, body) != nil {
		return notAnEvent("the body is not a %s", c.typeName)
	}
	message := body.ProtoReflect()
	if message.Get(c.key).String() != event.key {
		return notAnEvent("the body's key differs from ce-partitionkey")
	}
	if c.version != nil && event.version != nil && message.Get(c.version).String() != strconv.FormatInt(*event.version, 10) {
		return notAnEvent("the body's version differs from ce-sequence")
	}
	return nil
}
