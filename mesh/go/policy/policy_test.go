package policy

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"

	policyv1 "weft.local/weft/gen/go/weft/policy/v1"
	"weft.local/weft/mesh/go/identity"
	"weft.local/weft/mesh/go/rpc/refusal"
)

// lend is the method of a library's contract that lends a book, with these options.
func lend(t *testing.T, defaults, own *policyv1.MethodPolicy) *Method {
	t.Helper()
	ofService, ofMethod := &descriptorpb.ServiceOptions{}, &descriptorpb.MethodOptions{}
	proto.SetExtension(ofService, policyv1.E_Service, &policyv1.ServicePolicy{Name: "library", Defaults: defaults})
	proto.SetExtension(ofMethod, policyv1.E_Method, own)
	text := func(name string, number int32) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{
			Name: proto.String(name), Number: proto.Int32(number),
			Type:  descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("library.proto"), Package: proto.String("library.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("Book"), Field: []*descriptorpb.FieldDescriptorProto{text("title", 1), text("owner_id", 2)},
		}},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: proto.String("LibraryService"), Options: ofService,
			Method: []*descriptorpb.MethodDescriptorProto{{
				Name: proto.String("Lend"), Options: ofMethod,
				InputType: proto.String(".library.v1.Book"), OutputType: proto.String(".library.v1.Book"),
			}},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return Of(file.Services().Get(0).Methods().Get(0))
}

func reasonOf(err error) string {
	var refused *refusal.Refusal
	if errors.As(err, &refused) {
		return refused.Reason
	}
	return ""
}

func TestOnlyThoseOnTheListCall(t *testing.T) {
	byDefault := lend(t, &policyv1.MethodPolicy{Callers: []string{"edge"}}, &policyv1.MethodPolicy{})
	own := lend(t, &policyv1.MethodPolicy{Callers: []string{"edge"}}, &policyv1.MethodPolicy{Callers: []string{"desk"}})
	open := lend(t, nil, &policyv1.MethodPolicy{Callers: []string{"*"}})
	for _, try := range []struct {
		method         *Method
		caller, reason string
	}{
		{byDefault, "edge", ""}, {byDefault, "desk", "CALLER_DENIED"},
		{own, "desk", ""}, {own, "edge", "CALLER_DENIED"}, {own, "", "WORKLOAD_MISSING"},
		{open, "", ""}, {open, "anybody", ""},
	} {
		if got := reasonOf(try.method.CheckCaller(try.caller)); got != try.reason {
			t.Errorf("callers %v, %q: %q", try.method.Callers, try.caller, got)
		}
	}
}

func TestUsersNeedWhatTheMethodAsksFor(t *testing.T) {
	reader, keeper := &identity.Principal{ID: "a", Roles: []string{"reader"}}, &identity.Principal{ID: "b", Roles: []string{"reader", "keeper"}}
	for what, try := range map[string]struct {
		access *policyv1.Access
		user   *identity.Principal
		reason string
	}{
		"no rule":                 {nil, keeper, "NO_ACCESS_RULE"},
		"public, nobody":          {&policyv1.Access{Rule: &policyv1.Access_Public{Public: true}}, nil, ""},
		"services only, nobody":   {&policyv1.Access{Rule: &policyv1.Access_ServiceOnly{ServiceOnly: true}}, nil, ""},
		"signed in, nobody":       {&policyv1.Access{Rule: &policyv1.Access_SignedIn{SignedIn: true}}, nil, "TOKEN_MISSING"},
		"signed in, a reader":     {&policyv1.Access{Rule: &policyv1.Access_SignedIn{SignedIn: true}}, reader, ""},
		"keepers only, nobody":    {roles("keeper"), nil, "TOKEN_MISSING"},
		"keepers only, a reader":  {roles("keeper"), reader, "ROLE_MISSING"},
		"keepers only, a keeper":  {roles("keeper"), keeper, ""},
		"no roles at all, keeper": {roles(), keeper, "ROLE_MISSING"},
	} {
		if got := reasonOf(lend(t, nil, &policyv1.MethodPolicy{Access: try.access}).CheckUser(try.user)); got != try.reason {
			t.Errorf("%s: %q, not %q", what, got, try.reason)
		}
	}
}

func roles(any ...string) *policyv1.Access {
	return &policyv1.Access{Rule: &policyv1.Access_Roles{Roles: &policyv1.Roles{AnyOf: any}}}
}

func TestAThingIsShownToItsOwner(t *testing.T) {
	method := lend(t, nil, &policyv1.MethodPolicy{Access: &policyv1.Access{Rule: &policyv1.Access_Owner{Owner: &policyv1.Owner{
		Location: &policyv1.Owner_ResponseField{ResponseField: "owner_id"}, OrRoles: []string{"keeper"},
	}}}})
	book := dynamicpb.NewMessage(method.Desc.Output())
	book.Set(method.Desc.Output().Fields().ByName("owner_id"), protoreflect.ValueOfString("alice"))
	for _, try := range []struct {
		user   *identity.Principal
		reason string
	}{
		{&identity.Principal{ID: "alice"}, ""},
		{&identity.Principal{ID: "bob"}, "NOT_FOUND"},
		{&identity.Principal{ID: "bob", Roles: []string{"keeper"}}, ""},
		{nil, "NOT_FOUND"},
	} {
		if got := reasonOf(method.CheckReplyOwner(book, try.user)); got != try.reason {
			t.Errorf("%+v: %q, not %q", try.user, got, try.reason)
		}
	}
	if got := reasonOf(method.CheckReplyOwner(dynamicpb.NewMessage(method.Desc.Output()), &identity.Principal{})); got != "NOT_FOUND" {
		t.Errorf("nobody's book for nobody: %q", got)
	}
	if method.CheckRequestOwner(book, nil) != nil {
		t.Error("the request was checked, too")
	}
}

func TestCallsAreCutAndLimitedByTheContract(t *testing.T) {
	usual := lend(t, nil, &policyv1.MethodPolicy{})
	if usual.Timeout != 2*time.Second || usual.Slow != time.Second || usual.Concurrency != 512 {
		t.Errorf("%+v", usual)
	}
	said := lend(t, &policyv1.MethodPolicy{Timeout: durationpb.New(time.Second), Callers: []string{"a", "b"}}, &policyv1.MethodPolicy{
		Concurrency: &policyv1.Concurrency{Limit: 4}, Slo: &policyv1.Slo{Latency: durationpb.New(100 * time.Millisecond)},
	})
	if said.Timeout != time.Second || said.Slow != 100*time.Millisecond || said.Concurrency != 8 {
		t.Errorf("%+v", said)
	}
}
