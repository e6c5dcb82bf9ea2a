package events

import (
	"sync"

	"weft.local/weft/mesh/go/telemetry"
)

// Spans of events by the semantic conventions for messaging: an event is created in the transaction that causes
// it, published by the relay, and processed by each reader, each the parent of the next.

var spanTypes sync.Map // operation and subject → *telemetry.SpanType: few, made once

func spanType(name, kind, subject string) *telemetry.SpanType {
	if known, ok := spanTypes.Load(name + " " + subject); ok {
		return known.(*telemetry.SpanType)
	}
	made := &telemetry.SpanType{
		Name: name + " " + subject,
		Kind: telemetry.Producer,
		Attributes: []telemetry.Attribute{
			{Name: "messaging.system", Value: "nats"},
			{Name: "messaging.operation.name", Value: name},
			{Name: "messaging.operation.type", Value: kind},
			{Name: "messaging.destination.name", Value: subject},
		},
	}
	known, _ := spanTypes.LoadOrStore(made.Name, made)
	return known.(*telemetry.SpanType)
}

func createSpan(subject string) *telemetry.SpanType  { return spanType("create", "create", subject) }
func publishSpan(subject string) *telemetry.SpanType { return spanType("publish", "send", subject) }
