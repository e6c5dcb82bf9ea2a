package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"weft.local/weft/mesh/go/identity"
	"weft.local/weft/mesh/go/rpc/refusal"
	"weft.local/weft/mesh/go/storage"
	"weft.local/weft/mesh/go/telemetry"
)

// call is one call of a method with a policy, as the interceptors hand it on.
type call struct {
	*method
	header metadata.MD
	// caller is the calling service, once it is known.
	caller    string
	principal *identity.Principal
	// key is the Idempotency-Key, where the contract asks for one; keyTaken tells that the handler answers by it.
	key      string
	keyTaken bool
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	found, _ := ctx.Value(callKey{}).(*call)
	return found
}

// PrincipalOf is the signed-in user of a call; nil without a token.
func PrincipalOf(ctx context.Context) *identity.Principal {
	if found := callOf(ctx); found != nil {
		return found.principal
	}
	return nil
}

// interceptor sees a call of a method with a policy.
type interceptor func(ctx context.Context, c *call, request any, next grpc.UnaryHandler) (any, error)

// interceptors are what happens to every incoming call before its handler. The first is the outermost: it sees the
// request first and the reply last. Health and reflection have no policy and pass.
func (s *Server) interceptors() []grpc.UnaryServerInterceptor {
	list := []interceptor{
		// Outermost, so that every line logged further in, and the access log itself, has the ids.
		s.openContext,
		// Around all that may refuse, so that each refusal leaves as a status with details.
		s.renderErrors,
		// Before anything that costs: what will not be served must cost next to nothing.
		s.shedLoad,
		// Before any work is done: a call that is late is not worth checking.
		s.enforceDeadline,
		// Within the deadline, so that a delay uses it up; before all else, so that callers cannot tell it from a
		// failure of the process.
		s.injectFaults,
		// Before the message is looked at: strangers learn nothing about fields.
		s.authorize,
		// Strangers learn nothing about keys, either.
		s.requireKey,
		// Last: the handler sees only messages that obey the contract.
		s.validate,
	}
	chain := []grpc.UnaryServerInterceptor{s.begin}
	for _, each := range list {
		chain = append(chain, func(
			ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler,
		) (any, error) {
			if c := callOf(ctx); c != nil {
				return each(ctx, c, request, next)
			}
			return next(ctx, request)
		})
	}
	return chain
}

func (s *Server) begin(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if known, ok := s.methods[info.FullMethod]; ok {
		header, _ := metadata.FromIncomingContext(ctx)
		ctx = context.WithValue(ctx, callKey{}, &call{method: known, header: header})
	}
	return next(ctx, request)
}

// first is the value of a header; "" without one.
func first(header metadata.MD, name string) string {
	if values := header.Get(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// openContext opens the request's context from its headers; when the call ends, it ends its span, counts it and
// writes one access log line.
func (s *Server) openContext(ctx context.Context, c *call, request any, next grpc.UnaryHandler) (any, error) {
	tele := s.parts.Telemetry
	opened := tele.Tracer.Open(first(c.header, "x-request-id"), first(c.header, "traceparent"))
	ctx = telemetry.NewContext(ctx, opened)
	began := time.Now()
	reply, err := next(ctx, request)
	took := time.Since(began)
	code := status.Code(err)
	name, fault := codeName(code), ""
	if isServerFault(code) {
		fault = name
	}
	caller := c.caller
	if caller == "" {
		caller = "unknown"
	}
	tele.Calls.WithLabelValues("grpc", c.name, caller, name, fault).Observe(took.Seconds())
	if opened.Trace != nil {
		opened.Trace.End(opened.SpanID, c.span, telemetry.Ending{
			Slow: c.policy.Slow, Error: fault,
			More: []telemetry.Attribute{{Name: "rpc.response.status_code", Value: name}},
		})
	}
	shown := code.String()
	if code == codes.OK {
		shown = "ok"
	}
	s.parts.Log.LogAttrs(ctx, slog.LevelInfo, "rpc", slog.String("rpc", c.name), slog.String("code", shown),
		slog.Float64("ms", telemetry.Milliseconds(took)))
	return reply, err
}

// isServerFault tells codes that are the server's fault and not its caller's (semantic conventions for gRPC).
func isServerFault(code codes.Code) bool {
	switch code {
	case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
		return true
	}
	return false
}

// renderErrors turns what handlers return into statuses. Callers never see the text of an unexpected error; the log
// has it. A handler that panics has failed, and the process goes on.
func (s *Server) renderErrors(ctx context.Context, c *call, request any, next grpc.UnaryHandler) (reply any, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			reply, err = nil, status.Error(codes.Internal, "internal error")
			s.parts.Log.ErrorContext(ctx, "call failed", telemetry.Err(fmt.Errorf("panic: %v", problem)), "rpc", c.name)
		}
	}()
	reply, err = next(ctx, request)
	if err == nil {
		return reply, nil
	}
	rendered := statusOf(err, c.pkg)
	if code := rendered.Code(); code == codes.Internal || code == codes.Unknown || code == codes.DataLoss {
		s.parts.Log.ErrorContext(ctx, "call failed", telemetry.Err(err), "rpc", c.name)
	}
	return nil, rendered.Err()
}

func statusOf(err error, domain string) *status.Status {
	var refused *refusal.Refusal
	if errors.As(err, &refused) {
		return refused.Status(domain)
	}
	if known, ok := status.FromError(err); ok {
		return known
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return status.New(codes.DeadlineExceeded, "the deadline has passed")
	case errors.Is(err, context.Canceled):
		return status.New(codes.Canceled, "the caller has gone")
	case storage.IsUnavailable(err):
		return status.New(codes.Unavailable, "the database is busy or away")
	}
	return status.New(codes.Internal, "internal error")
}

// shedLoad gives up calls beyond what the process serves at a time. RESOURCE_EXHAUSTED and not UNAVAILABLE: the
// process is there and serves others, so callers must not open their breakers.
func (s *Server) shedLoad(ctx context.Context, c *call, request any, next grpc.UnaryHandler) (any, error) {
	defer c.flying.Add(-1)
	if c.flying.Add(1) > int64(c.policy.Concurrency) {
		s.Load.shed.Add(1)
		refused := refusal.New(codes.ResourceExhausted, "OVERLOADED", "too much load")
		refused.RetryAfter = time.Second
		return nil, refused
	}
	s.Load.flying.Add(1)
	defer s.Load.flying.Add(-1)
	return next(ctx, request)
}

// enforceDeadline ends a call at its deadline: the caller's, or the method's timeout when that is sooner.
func (s *Server) enforceDeadline(ctx context.Context, c *call, request any, next grpc.UnaryHandler) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, c.policy.Timeout)
	defer cancel()
	if ctx.Err() == nil {
		reply, err := next(ctx, request)
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return reply, err
		}
	}
	return nil, status.FromContextError(ctx.Err()).Err()
}

func (s *Server) injectFaults(ctx context.Context, c *call, request any, next grpc.UnaryHandler) (any, error) {
	if s.parts.Faults != nil {
		desc := c.policy.Desc
		if err := s.parts.Faults.Inject(ctx, string(desc.Parent().FullName()), string(desc.Name())); err != nil {
			return nil, err
		}
	}
	return next(ctx, request)
}

// authorize establishes who calls and on whose behalf, and refuses whom the contract does not admit. Every refusal
// is in the log, with the method, and without what was shown.
func (s *Server) authorize(ctx context.Context, c *call, request any, next grpc.UnaryHandler) (any, error) {
	if err := s.admit(ctx, c); err != nil {
		var refused *refusal.Refusal
		if errors.As(err, &refused) {
			user, problem := "", ""
			if c.principal != nil {
				user = c.principal.ID
			}
			if cause := errors.Unwrap(refused); cause != nil {
				problem = cause.Error()
			}
			s.parts.Log.WarnContext(ctx, "refused", "caller", c.caller, "user", user, "rpc", c.name,
				"reason", refused.Reason, "problem", problem)
		}
		return nil, err
	}
	if err := c.policy.CheckRequestOwner(request, c.principal); err != nil {
		return nil, err
	}
	reply, err := next(ctx, request)
	if err != nil {
		return nil, err
	}
	if err := c.policy.CheckReplyOwner(reply, c.principal); err != nil {
		return nil, err
	}
	return reply, nil
}

func (s *Server) admit(ctx context.Context, c *call) error {
	caller, err := s.identify(ctx, c.header)
	if err != nil {
		return err
	}
	if caller == "" && s.parts.DirectCalls {
		caller = "edge"
	}
	c.caller = caller
	if err := c.policy.CheckCaller(caller); err != nil {
		return err
	}
	// All there are: several are no token, whichever of them something on the way has looked at.
	authorization := strings.Join(c.header.Get("authorization"), ", ")
	if authorization != "" && c.policy.UsesToken() {
		if c.principal, err = s.parts.Verifier.Verify(ctx, authorization); err != nil {
			return err
		}
	}
	return c.policy.CheckUser(c.principal)
}

// identify is the name of the calling workload by the certificate of its connection; "" for one that shows none.
func (s *Server) identify(ctx context.Context, header metadata.MD) (string, error) {
	for _, name := range []string{"x-forwarded-client-cert", "l5d-client-id"} {
		if len(header.Get(name)) > 0 { // no proxy of ours sets it, so somebody has made it up
			return "", unproved(name + " is not used here")
		}
	}
	from, ok := peer.FromContext(ctx)
	if !ok {
		return "", nil
	}
	info, _ := from.AuthInfo.(authInfo)
	switch {
	case info.Refused != "":
		return "", unproved(info.Refused)
	case info.Name != "" && !time.Now().Before(info.ValidUntil):
		return "", unproved(fmt.Sprintf("the certificate of %q has expired", info.Name))
	}
	return info.Name, nil
}

// unproved refuses a proof that does not say who calls; the problem is for the log alone.
func unproved(problem string) error {
	return refusal.New(codes.Unauthenticated, "WORKLOAD_INVALID", "the calling service could not be identified").
		Because(errors.New(problem))
}

var codeNames = [...]string{
	"OK", "CANCELED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

func codeName(code codes.Code) string {
	if int(code) < len(codeNames) {
		return codeNames[code]
	}
	return "UNKNOWN"
}
