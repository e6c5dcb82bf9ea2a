package events

import (
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// cloudEvent makes the message of an event: CloudEvents 1.0 in binary content mode (NATS Protocol Binding,
// section 3.1), with the extensions partitionkey, sequence and traceparent.
func cloudEvent(service string, row *outgoing) *nats.Msg {
	message := nats.NewMsg(row.Subject)
	message.Data = row.Payload
	set := func(name, value string) {
		if value != "" {
			// As written: NATS headers are case-sensitive, and Set would not keep "ce-id" apart.
			message.Header[name] = []string{percentEncode(value)}
		}
	}
	set("content-type", "application/protobuf")
	set("ce-specversion", "1.0")
	set("ce-id", row.ID)
	set("ce-source", "/services/"+service)
	set("ce-type", row.Type)
	set("ce-time", row.RecordedAt.UTC().Format("2006-01-02T15:04:05.000Z"))
	set("ce-subject", row.Key)
	set("ce-partitionkey", row.Key)
	if row.Version != nil {
		// The extension wants values whose order as text is their order as numbers; 2^64 has 20 digits.
		set("ce-sequence", strings.Repeat("0", max(0, 20-len(*row.Version)))+*row.Version)
	}
	set("ce-traceparent", row.headers.Traceparent)
	set("x-request-id", row.headers.RequestID)
	set("Nats-Msg-Id", row.ID)
	return message
}

// percentEncode encodes what header values may not hold (CloudEvents HTTP Binding, section 3.1.3.2).
func percentEncode(value string) string {
	var out strings.Builder
	for _, b := range []byte(value) {
		if b < 0x21 || b > 0x7e || b == '"' || b == '%' {
			fmt.Fprintf(&out, "%%%02X", b)
		} else {
			out.WriteByte(b)
		}
	}
	return out.String()
}

// outgoing is a row of the outbox on its way out.
type outgoing struct {
	ID, Type, Subject, Stream, Key string
	Version                        *string
	Payload                        []byte
	headers                        headers
	RecordedAt                     time.Time
}
