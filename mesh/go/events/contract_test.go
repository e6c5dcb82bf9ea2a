package events

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	policyv1 "weft.local/weft/gen/go/weft/policy/v1"
)

// lent is the event of a library's contract that tells of a book that was lent, with this option.
func lent(t *testing.T, policy *policyv1.EventPolicy) protoreflect.MessageDescriptor {
	t.Helper()
	options := &descriptorpb.MessageOptions{}
	if policy != nil {
		proto.SetExtension(options, policyv1.E_Event, policy)
	}
	field := func(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{
			Name: proto.String(name), Number: proto.Int32(number), Type: kind.Enum(),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("library.proto"), Package: proto.String("library.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("Lent"), Options: options,
			Field: []*descriptorpb.FieldDescriptorProto{
				field("book_id", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING),
				field("version", 2, descriptorpb.FieldDescriptorProto_TYPE_INT64),
			},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return file.Messages().Get(0)
}

func TestTheContractOfAnEventIsReadFromItsOptions(t *testing.T) {
	contract, err := contractOf(lent(t, &policyv1.EventPolicy{Subject: "library.v1.lent", Key: "book_id", Version: "version"}))
	if err != nil {
		t.Fatal(err)
	}
	if contract.typeName != "library.v1.Lent" || contract.subject != "library.v1.lent" || contract.stream != "LIBRARY_V1" ||
		contract.streamSubjects != "library.v1.>" || contract.key.Name() != "book_id" || contract.version.Name() != "version" {
		t.Errorf("%+v", contract)
	}
	for what, policy := range map[string]*policyv1.EventPolicy{
		"no option":                nil,
		"a subject of others":      {Subject: "other.v1.lent", Key: "book_id"},
		"a key that is no field":   {Subject: "library.v1.lent", Key: "reader"},
		"a key that is no text":    {Subject: "library.v1.lent", Key: "version"},
		"a version that is a text": {Subject: "library.v1.lent", Key: "book_id", Version: "book_id"},
	} {
		if _, err := contractOf(lent(t, policy)); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
}

func TestKeysAreInThePartitionsOfTheOtherRuntime(t *testing.T) {
	// What partitionOf of mesh/runtime/events/partition.ts answers.
	for key, partition := range map[string]int16{"a": 2, "b": 6, "0199a0b2-7b1c-7c3f-9d2e-1f2a3b4c5d6e": 13, "ключ": 2} {
		if got := partitionOf(key); got != partition {
			t.Errorf("%s: %d, not %d", key, got, partition)
		}
	}
}

func TestAnEventGoesOutAsACloudEvent(t *testing.T) {
	version := "42"
	message := cloudEvent("library", &outgoing{
		ID: "i1", Type: "library.v1.Lent", Subject: "library.v1.lent", Key: "p 1%é",
		Version: &version, Payload: []byte("x"), headers: headers{RequestID: "r", Traceparent: "t"},
		RecordedAt: time.UnixMilli(1_700_000_000_123),
	})
	for name, value := range map[string]string{
		"ce-id": "i1", "Nats-Msg-Id": "i1", "ce-specversion": "1.0", "ce-source": "/services/library",
		"ce-type": "library.v1.Lent", "ce-partitionkey": "p%201%25%C3%A9", "ce-subject": "p%201%25%C3%A9",
		"ce-sequence": "00000000000000000042", "ce-time": "2023-11-14T22:13:20.123Z", "ce-traceparent": "t",
		"x-request-id": "r", "content-type": "application/protobuf",
	} {
		if got := message.Header[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s: %v, not %q", name, got, value)
		}
	}
}

func TestARefusedKeyWaitsLongerEachTime(t *testing.T) {
	var blocked blockedKeys
	for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		if got := blocked.block("a"); got != want {
			t.Errorf("%v, not %v", got, want)
		}
	}
	for range 10 {
		blocked.block("a")
	}
	if got := blocked.block("a"); got != time.Minute {
		t.Errorf("%v at last", got)
	}
	if current := blocked.current(); len(current) != 1 || current[0] != "a" {
		t.Errorf("%v wait", current)
	}
}
