package rpc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"weft.local/weft/mesh/go/rpc/refusal"
)

// maxViolations are reported at once.
const maxViolations = 50

// validate checks request messages against the rules of the contract, and for U+0000 in any text: Protobuf allows
// the character, PostgreSQL's text does not.
func (s *Server) validate(ctx context.Context, _ *call, request any, next grpc.UnaryHandler) (any, error) {
	message := request.(proto.Message)
	if path, found := findNul(message.ProtoReflect()); found {
		return nil, refused([]refusal.Field{{Path: path, Description: "must not contain U+0000"}})
	}
	err := s.valid.Validate(message)
	var invalid *protovalidate.ValidationError
	if errors.As(err, &invalid) {
		fields := []refusal.Field{}
		for _, violation := range invalid.Violations[:min(len(invalid.Violations), maxViolations)] {
			fields = append(fields, refusal.Field{
				Path:        protovalidate.FieldPathString(violation.Proto.GetField()),
				Description: violation.Proto.GetMessage(),
			})
		}
		return nil, refused(fields)
	}
	if err != nil {
		return nil, err
	}
	return next(ctx, request)
}

func refused(fields []refusal.Field) error {
	text := "the request is not valid"
	if len(fields) > 0 {
		text = fields[0].Description
		if fields[0].Path != "" {
			text = fields[0].Path + ": " + text
		}
	}
	made, err := status.New(codes.InvalidArgument, text).WithDetails(
		refusal.BadRequest(fields), &errdetails.ErrorInfo{Reason: "REQUEST_INVALID", Domain: "weft"})
	if err != nil {
		return err
	}
	return made.Err()
}

// findNul is the path of the first text with U+0000, by proto field names.
func findNul(message protoreflect.Message) (path string, found bool) {
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name := string(field.Name())
		switch {
		case field.IsList():
			list := value.List()
			for i := 0; i < list.Len() && !found; i++ {
				path, found = nulIn(field, list.Get(i), fmt.Sprintf("%s[%d]", name, i))
			}
		case field.IsMap():
			value.Map().Range(func(key protoreflect.MapKey, item protoreflect.Value) bool {
				if strings.ContainsRune(key.String(), 0) {
					path, found = name+" (a key)", true
				} else {
					path, found = nulIn(field.MapValue(), item, fmt.Sprintf("%s[%q]", name, key.String()))
				}
				return !found
			})
		default:
			path, found = nulIn(field, value, name)
		}
		return !found
	})
	return path, found
}

func nulIn(field protoreflect.FieldDescriptor, value protoreflect.Value, at string) (string, bool) {
	if field.Message() != nil {
		inner, found := findNul(value.Message())
		return at + "." + inner, found
	}
	return at, field.Kind() == protoreflect.StringKind && strings.ContainsRune(value.String(), 0)
}
