// Package rpc is the server of a service: its calls, health, reflection and HTTP pages on one port.
package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // for callers that compress
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/protobuf/reflect/protoreflect"

	policyv1 "weft.local/weft/gen/go/weft/policy/v1"
	"weft.local/weft/mesh/go/faults"
	"weft.local/weft/mesh/go/identity"
	"weft.local/weft/mesh/go/policy"
	"weft.local/weft/mesh/go/telemetry"
)

const (
	// readMaxBytes is the largest message, after decompression.
	readMaxBytes   = 1024 * 1024
	headTimeout    = 10 * time.Second
	requestTimeout = 15 * time.Second
	idleTimeout    = time.Minute
	// graceTime is what calls in flight get when the process ends.
	graceTime = 7 * time.Second
)

// Parts are what calls are judged and observed by.
type Parts struct {
	Log       *slog.Logger
	Workload  *identity.Workload
	Verifier  *identity.Verifier
	Telemetry *telemetry.Telemetry
	// Faults are done to calls on purpose; nil: none. Development only.
	Faults *faults.Faults
	// DirectCalls lets callers without a workload identity call what the edge may. Development only.
	DirectCalls bool
}

// Server serves the calls of one process.
type Server struct {
	Load *Load

	parts   Parts
	grpc    *grpc.Server
	pages   *http.Server
	health  *health.Server
	ready   atomic.Bool
	methods map[string]*method
	valid   protovalidate.Validator
	port    *port
	ending  chan struct{}
}

// NewServer makes a server for these services of the contract, whose handlers register adds.
func NewServer(parts Parts, contracts []protoreflect.ServiceDescriptor, register func(grpc.ServiceRegistrar)) (*Server, error) {
	s := &Server{
		Load: &Load{}, parts: parts, health: health.NewServer(), methods: map[string]*method{},
		ending: make(chan struct{}),
	}
	var err error
	if s.valid, err = protovalidate.New(); err != nil {
		return nil, err
	}
	for _, contract := range contracts {
		for i := range contract.Methods().Len() {
			known, err := newMethod(contract.Methods().Get(i))
			if err != nil {
				return nil, err
			}
			s.methods[known.path] = known
		}
	}
	s.grpc = grpc.NewServer(
		grpc.Creds(known{}),
		grpc.MaxRecvMsgSize(readMaxBytes),
		grpc.MaxConcurrentStreams(100),
		grpc.MaxHeaderListSize(16_384),
		// A stream's goroutine costs a few kilobytes of stack that grow anew each time.
		grpc.NumStreamWorkers(8),
		// Callers of this mesh ping every 20 s while they wait, and once more when a call is given up.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		// Peers that vanished without a word are found out; old connections are told to go, so that callers find
		// replicas that came later.
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: 30 * time.Second, Timeout: 30 * time.Second,
			MaxConnectionAge: 10 * time.Minute, MaxConnectionAgeGrace: time.Minute,
		}),
		grpc.ChainUnaryInterceptor(s.interceptors()...),
	)
	register(s.grpc)
	healthv1.RegisterHealthServer(s.grpc, watchable{s.health, s.ending})
	reflection.Register(s.grpc)
	for name := range s.grpc.GetServiceInfo() {
		if !s.isOpen(name) && !s.covers(name) {
			return nil, fmt.Errorf("%s is served and not among the contracts, so that no policy would hold", name)
		}
	}
	s.setHealth(healthv1.HealthCheckResponse_NOT_SERVING)
	pages := http.NewServeMux()
	pages.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	pages.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		status := http.StatusOK
		if !s.ready.Load() {
			status = http.StatusServiceUnavailable
		}
		answer(w, status, map[string]bool{"ready": s.ready.Load()})
	})
	pages.Handle("GET /metrics", parts.Telemetry.Handler())
	s.pages = &http.Server{
		Handler: pages, ReadHeaderTimeout: headTimeout, ReadTimeout: requestTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: 16_384,
	}
	return s, nil
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("content-type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// isOpen tells services that everyone may call who reaches the port: probes and tools have no identity.
func (s *Server) isOpen(service string) bool {
	switch service {
	case "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection":
		return true
	}
	return false
}

func (s *Server) covers(service string) bool {
	for _, known := range s.methods {
		if string(known.policy.Desc.Parent().FullName()) == service {
			return true
		}
	}
	return false
}

// Listen takes the port. Calls are answered from then on, and probes are told to wait until SetReady.
func (s *Server) Listen(address string) (portNumber int, err error) {
	if s.port, err = openPort(address, s.parts.Workload, s.parts.Log); err != nil {
		return 0, err
	}
	go s.port.serve()
	go s.grpc.Serve(s.port.grpc)
	go s.pages.Serve(s.port.pages)
	return s.port.listener.Addr().(*net.TCPAddr).Port, nil
}

// SetReady tells probes and balancers.
func (s *Server) SetReady(ready bool) {
	s.ready.Store(ready)
	status := healthv1.HealthCheckResponse_SERVING
	if !ready {
		status = healthv1.HealthCheckResponse_NOT_SERVING
	}
	s.setHealth(status)
}

func (s *Server) setHealth(status healthv1.HealthCheckResponse_ServingStatus) {
	s.health.SetServingStatus("", status)
	for name := range s.grpc.GetServiceInfo() {
		if !s.isOpen(name) {
			s.health.SetServingStatus(name, status)
		}
	}
}

// Close refuses new connections and calls, and lets those in flight finish.
func (s *Server) Close() {
	s.port.close()
	close(s.ending)
	ctx, cancel := context.WithTimeout(context.Background(), graceTime)
	defer cancel()
	force := time.AfterFunc(graceTime, s.grpc.Stop)
	defer force.Stop()
	s.grpc.GracefulStop()
	s.pages.Shutdown(ctx)
	s.pages.Close()
}

// watchable ends the streams of watchers when the server ends: by themselves they never would.
type watchable struct {
	*health.Server
	ending <-chan struct{}
}

func (w watchable) Watch(request *healthv1.HealthCheckRequest, stream healthv1.Health_WatchServer) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	go func() {
		select {
		case <-w.ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	return w.Server.Watch(request, watching{stream, ctx})
}

type watching struct {
	healthv1.Health_WatchServer
	ctx context.Context
}

func (w watching) Context() context.Context { return w.ctx }

// method is what the server knows of a method before it is called.
type method struct {
	// path is "/pkg.v1.Service/Method"; name the same without the first slash.
	path, name string
	// pkg is the proto package: the domain of error details.
	pkg    string
	policy *policy.Method
	span   *telemetry.SpanType
	flying atomic.Int64
}

func newMethod(desc protoreflect.MethodDescriptor) (*method, error) {
	service := desc.Parent().(protoreflect.ServiceDescriptor)
	name := fmt.Sprintf("%s/%s", service.FullName(), desc.Name())
	known := &method{
		path: "/" + name, name: name, pkg: string(desc.ParentFile().Package()), policy: policy.Of(desc),
		span: &telemetry.SpanType{Name: name, Kind: telemetry.Server, Attributes: []telemetry.Attribute{
			{Name: "rpc.system.name", Value: "grpc"}, {Name: "rpc.method", Value: name},
		}},
	}
	// What the contract promises and this runtime does not hold must not be served.
	if desc.IsStreamingClient() || desc.IsStreamingServer() {
		return nil, fmt.Errorf("%s: the Go runtime serves unary methods only", name)
	}
	if _, public := known.policy.Access.GetRule().(*policyv1.Access_Public); public && known.policy.IdempotencyKeyRequired {
		return nil, fmt.Errorf("%s: a public method cannot have an Idempotency-Key, since keys belong to users", name)
	}
	return known, nil
}
