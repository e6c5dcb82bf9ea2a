// Package policy reads from the contract what may be done with each method: options of weft.policy.v1, merged with
// the service's defaults and the built-in ones.
package policy

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	policyv1 "weft.local/weft/gen/go/weft/policy/v1"
)

// Method is what a server must know about a method.
type Method struct {
	Desc protoreflect.MethodDescriptor
	// Access is who may call as a user; nil: the contract has no rule, so the method is refused.
	Access *policyv1.Access
	// Callers are the services that may call; "*" admits those without an identity.
	Callers map[string]bool
	Timeout time.Duration
	// Slow is the time from which on a call is worth a look.
	Slow time.Duration
	// Concurrency is the number of calls in flight that a process serves.
	Concurrency            int
	IdempotencyKeyRequired bool
}

// MeshName is the name of a service in the mesh.
func MeshName(service protoreflect.ServiceDescriptor) (string, error) {
	name := servicePolicy(service).GetName()
	if name == "" {
		return "", fmt.Errorf("%s: option (weft.policy.v1.service).name is missing", service.FullName())
	}
	return name, nil
}

// Of resolves the policy of a method.
func Of(method protoreflect.MethodDescriptor) *Method {
	service := servicePolicy(method.Parent().(protoreflect.ServiceDescriptor))
	defaults := service.GetDefaults()
	own := &policyv1.MethodPolicy{}
	if options := method.Options(); proto.HasExtension(options, policyv1.E_Method) {
		own = proto.GetExtension(options, policyv1.E_Method).(*policyv1.MethodPolicy)
	}
	resolved := &Method{Desc: method, Access: own.GetAccess(), Timeout: 2 * time.Second, Callers: map[string]bool{}}
	if resolved.Access == nil {
		resolved.Access = defaults.GetAccess()
	}
	callers := own.GetCallers()
	if len(callers) == 0 {
		callers = defaults.GetCallers()
	}
	for _, caller := range callers {
		resolved.Callers[caller] = true
	}
	if timeout := or(own.GetTimeout(), defaults.GetTimeout()); timeout != nil {
		resolved.Timeout = timeout.AsDuration()
	}
	resolved.Slow = resolved.Timeout / 2
	if slo := or(own.GetSlo(), defaults.GetSlo()); slo.GetLatency() != nil {
		resolved.Slow = slo.GetLatency().AsDuration()
	}
	resolved.Concurrency = 512
	if limit := or(own.GetConcurrency(), defaults.GetConcurrency()).GetLimit(); limit > 0 {
		resolved.Concurrency = int(limit) * max(1, len(callers))
	}
	key := own.GetIdempotencyKey()
	if key == policyv1.IdempotencyKey_IDEMPOTENCY_KEY_UNSPECIFIED {
		key = defaults.GetIdempotencyKey()
	}
	resolved.IdempotencyKeyRequired = key == policyv1.IdempotencyKey_IDEMPOTENCY_KEY_REQUIRED
	return resolved
}

// RequiresKeys tells whether a method of the service requires an Idempotency-Key.
func RequiresKeys(service protoreflect.ServiceDescriptor) bool {
	for i := range service.Methods().Len() {
		if Of(service.Methods().Get(i)).IdempotencyKeyRequired {
			return true
		}
	}
	return false
}

func servicePolicy(service protoreflect.ServiceDescriptor) *policyv1.ServicePolicy {
	if options := service.Options(); proto.HasExtension(options, policyv1.E_Service) {
		return proto.GetExtension(options, policyv1.E_Service).(*policyv1.ServicePolicy)
	}
	return nil
}

func or[T comparable](own, otherwise T) T {
	var none T
	if own != none {
		return own
	}
	return otherwise
}
