// Package redact shows messages to people: without what the contract calls sensitive.
package redact

import (
	"encoding/json"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	policyv1 "weft.local/weft/gen/go/weft/policy/v1"
)

// redacted stands in the place of a sensitive value.
const redacted = "[redacted]"

// Message is a message as people may see it: proto JSON, with "[redacted]" for each value that is set and that the
// contract calls sensitive.
func Message(message proto.Message) (*structpb.Struct, error) {
	text, err := protojson.Marshal(message)
	if err != nil {
		return nil, err
	}
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, err
	}
	redactFields(message.ProtoReflect().Descriptor(), values)
	return structpb.NewStruct(values)
}

func redactFields(message protoreflect.MessageDescriptor, values map[string]any) {
	for name, value := range values {
		if field := message.Fields().ByJSONName(name); field != nil {
			values[name] = redactField(field, value)
		}
	}
}

func redactField(field protoreflect.FieldDescriptor, value any) any {
	if isSensitive(field) {
		return redacted
	}
	if field.IsMap() {
		if entries, ok := value.(map[string]any); ok {
			for key, entry := range entries {
				entries[key] = redactField(field.MapValue(), entry)
			}
		}
		return value
	}
	inner := field.Message()
	// Well-known types have a JSON form of their own and no options of ours.
	if inner == nil || strings.HasPrefix(string(inner.FullName()), "google.protobuf.") {
		return value
	}
	switch value := value.(type) {
	case map[string]any:
		redactFields(inner, value)
	case []any:
		for _, item := range value {
			if item, ok := item.(map[string]any); ok {
				redactFields(inner, item)
			}
		}
	}
	return value
}

func isSensitive(field protoreflect.FieldDescriptor) bool {
	options := field.Options()
	return proto.HasExtension(options, policyv1.E_Field) &&
		proto.GetExtension(options, policyv1.E_Field).(*policyv1.FieldPolicy).GetSensitive()
}
