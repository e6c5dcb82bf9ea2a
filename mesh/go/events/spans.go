package events

import (
	"sync"

	"weft.local/weft/mesh/go/telemetry"
)

// Spans of events by the semantic conventions for messaging: an event is created in the transaction that causes
// it, published by the relay, and processed by each reader, each the parent of the next.

var spanTypes sync.Map // operation and subject → *telemetry.SpanType: few, made once

func spanType(name, kind, subject string) *telemetry.SpanType {
	return once(name+" "+subject, func() *telemetry.SpanType { return messaging(name, kind, subject, telemetry.Producer) })
}

func once(name string, make func() *telemetry.SpanType) *telemetry.SpanType {
	if known, ok := spanTypes.Load(name); ok {
		return known.(*telemetry.SpanType)
	}
	known, _ := spanTypes.LoadOrStore(name, make())
	return known.(*telemetry.SpanType)
}

func messaging(name, operation, subject string, kind telemetry.SpanKind) *telemetry.SpanType {
	return &telemetry.SpanType{
		Name: name + " " + subject,
		Kind: kind,
		Attributes: []telemetry.Attribute{
			{Name: "messaging.system", Value: "nats"},
			{Name: "messaging.operation.name", Value: name},
			{Name: "messaging.operation.type", Value: operation},
			{Name: "messaging.destination.name", Value: subject},
		},
	}
}

func createSpan(subject string) *telemetry.SpanType  { return spanType("create", "create", subject) }
func publishSpan(subject string) *telemetry.SpanType { return spanType("publish", "send", subject) }

// processSpan is of one delivery; consumer is the durable name.
func processSpan(subject, consumer string) *telemetry.SpanType {
	return once("process "+consumer, func() *telemetry.SpanType {
		made := messaging("process", "process", subject, telemetry.Consumer)
		made.Attributes = append(made.Attributes, telemetry.Attribute{Name: "messaging.consumer.group.name", Value: consumer})
		return made
	})
}

// handleSpan is the handler's own work, without the inbox around it.
func handleSpan(consumer string) *telemetry.SpanType {
	return once("handle "+consumer, func() *telemetry.SpanType {
		return &telemetry.SpanType{Name: "handle " + consumer, Kind: telemetry.Internal}
	})
}
