package events

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	policyv1 "weft.local/weft/gen/go/weft/policy/v1"
)

// contract is what the options of an event's message say.
type contract struct {
	// typeName is the full name of the message: the CloudEvents type.
	typeName, subject string
	// stream holds every event of the package: a.b.v1 becomes A_B_V1, with the subjects a.b.v1.>.
	stream, streamSubjects string
	key, version           protoreflect.FieldDescriptor
	// policies are how each of its readers reads it, by the service's name.
	policies map[string]*consumerPolicy
}

// contractOf reads them. The error names the message and the option that is wrong.
func contractOf(message protoreflect.MessageDescriptor) (*contract, error) {
	wrong := func(problem string, values ...any) error {
		return fmt.Errorf("event contract: %s "+problem, append([]any{message.FullName()}, values...)...)
	}
	options := message.Options()
	if !proto.HasExtension(options, policyv1.E_Event) {
		return nil, wrong("has no option (weft.policy.v1.event)")
	}
	policy := proto.GetExtension(options, policyv1.E_Event).(*policyv1.EventPolicy)
	pkg := string(message.ParentFile().Package())
	if !strings.HasPrefix(policy.GetSubject(), pkg+".") {
		return nil, wrong("has subject %q, which must start with its package", policy.GetSubject())
	}
	key := message.Fields().ByName(protoreflect.Name(policy.GetKey()))
	if key == nil || key.Kind() != protoreflect.StringKind {
		return nil, wrong("has key %q, which is no text field of it", policy.GetKey())
	}
	c := &contract{
		typeName: string(message.FullName()), subject: policy.GetSubject(), key: key,
		stream: strings.ToUpper(strings.ReplaceAll(pkg, ".", "_")), streamSubjects: pkg + ".>",
	}
	if name := policy.GetVersion(); name != "" {
		c.version = message.Fields().ByName(protoreflect.Name(name))
		if c.version == nil || (c.version.Kind() != protoreflect.Int64Kind && c.version.Kind() != protoreflect.Uint64Kind) {
			return nil, wrong("has version %q, which is no int64 field of it", name)
		}
	}
	var err error
	if c.policies, err = consumerPolicies(policy.GetConsumers()); err != nil {
		return nil, wrong("%v", err)
	}
	return c, nil
}

// partitions of every outbox: replicas share it, and each key stays in order.
const partitions = 16

// partitionOf is the SHA-256 of a key modulo the number of partitions.
func partitionOf(key string) int16 {
	sum := sha256.Sum256([]byte(key))
	return int16(binary.BigEndian.Uint32(sum[:4]) % partitions)
}
