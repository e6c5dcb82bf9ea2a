package policy

import (
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	policyv1 "weft.local/weft/gen/go/weft/policy/v1"
	"weft.local/weft/mesh/go/identity"
	"weft.local/weft/mesh/go/rpc/refusal"
)

// CheckCaller refuses a service that is not on the method's list; caller is "" for one without a workload identity.
func (m *Method) CheckCaller(caller string) error {
	if m.Callers["*"] || (caller != "" && m.Callers[caller]) {
		return nil
	}
	if caller == "" {
		return refusal.New(codes.Unauthenticated, "WORKLOAD_MISSING",
			fmt.Sprintf("%s needs the certificate of a service of the mesh", m.Desc.Name()))
	}
	return refusal.New(codes.PermissionDenied, "CALLER_DENIED",
		fmt.Sprintf("%s may not call %s", caller, m.Desc.Name()))
}

// UsesToken tells whether it matters on whose behalf a call is made.
func (m *Method) UsesToken() bool {
	switch m.Access.GetRule().(type) {
	case *policyv1.Access_Public, *policyv1.Access_ServiceOnly:
		return false
	}
	return true
}

// CheckUser refuses a user that the method's access rule does not admit; principal is nil without one.
func (m *Method) CheckUser(principal *identity.Principal) error {
	switch rule := m.Access.GetRule().(type) {
	case *policyv1.Access_Public, *policyv1.Access_ServiceOnly:
		return nil
	case *policyv1.Access_SignedIn, *policyv1.Access_Owner:
		if principal == nil {
			return tokenMissing()
		}
		return nil
	case *policyv1.Access_Roles:
		if principal == nil {
			return tokenMissing()
		}
		roles := rule.Roles.GetAnyOf()
		if principal.HasRole(roles) {
			return nil
		}
		return refusal.New(codes.PermissionDenied, "ROLE_MISSING",
			fmt.Sprintf("%s needs one of the roles: %s", m.Desc.Name(), strings.Join(roles, ", ")))
	}
	return refusal.New(codes.PermissionDenied, "NO_ACCESS_RULE", fmt.Sprintf("%s has no access rule", m.Desc.Name()))
}

func tokenMissing() error {
	return refusal.New(codes.Unauthenticated, "TOKEN_MISSING", "an access token is required")
}

// CheckRequestOwner refuses a request whose owner field names somebody else.
func (m *Method) CheckRequestOwner(request any, principal *identity.Principal) error {
	if at, ok := m.Access.GetOwner().GetLocation().(*policyv1.Owner_RequestField); ok {
		return m.checkOwner(at.RequestField, request, principal)
	}
	return nil
}

// CheckReplyOwner refuses to hand out a reply whose owner field names somebody else.
func (m *Method) CheckReplyOwner(reply any, principal *identity.Principal) error {
	if at, ok := m.Access.GetOwner().GetLocation().(*policyv1.Owner_ResponseField); ok {
		return m.checkOwner(at.ResponseField, reply, principal)
	}
	return nil
}

// checkOwner answers NOT_FOUND, so that ids cannot be probed.
func (m *Method) checkOwner(path string, message any, principal *identity.Principal) error {
	if principal != nil && principal.HasRole(m.Access.GetOwner().GetOrRoles()) {
		return nil
	}
	owner, err := readPath(message, path)
	if err != nil {
		return err
	}
	if principal != nil && owner != "" && owner == principal.ID {
		return nil
	}
	return refusal.New(codes.NotFound, "NOT_FOUND", "not found")
}

// readPath is the text at a dotted path of proto field names; "" where it is not set.
func readPath(message any, path string) (string, error) {
	current := message.(proto.Message).ProtoReflect()
	names := strings.Split(path, ".")
	for i, name := range names {
		field := current.Descriptor().Fields().ByName(protoreflect.Name(name))
		isLast := i == len(names)-1
		switch {
		case field == nil || field.IsList() || field.IsMap():
		case isLast && field.Kind() == protoreflect.StringKind:
			return current.Get(field).String(), nil
		case !isLast && field.Message() != nil:
			current = current.Get(field).Message()
			continue
		}
		return "", fmt.Errorf("policy names the field %q, which is no text of %T", path, message)
	}
	return "", nil
}
