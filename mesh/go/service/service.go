// Package service runs one service as a process: settings from the environment, SIGTERM and SIGINT end it.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventsv1 "weft.local/weft/gen/go/weft/events/v1"
	meshv1 "weft.local/weft/gen/go/weft/mesh/v1"
	"weft.local/weft/mesh/go/config"
	"weft.local/weft/mesh/go/discovery"
	"weft.local/weft/mesh/go/events"
	"weft.local/weft/mesh/go/faults"
	"weft.local/weft/mesh/go/idempotency"
	"weft.local/weft/mesh/go/identity"
	"weft.local/weft/mesh/go/policy"
	"weft.local/weft/mesh/go/rpc"
	"weft.local/weft/mesh/go/storage"
	"weft.local/weft/mesh/go/telemetry"
)

const (
	// patience is how long a start waits for what is known of revoked tokens.
	patience    = time.Second
	seedTimeout = 30 * time.Second
	// grace is the time a process has to finish what is under way.
	grace = 10 * time.Second
)

// Definition is what a service is, apart from the process it runs in.
type Definition struct {
	// Contract is the service of the contract; its policy option carries the name in the mesh.
	Contract   protoreflect.ServiceDescriptor
	Migrations []storage.Migration
	// Emits are the events it records in its outbox.
	Emits []protoreflect.MessageDescriptor
	// Consumes are the events it reads, each with what it does with it. Optional.
	Consumes []events.Handler
	// Register adds the handlers.
	Register func(grpc.ServiceRegistrar, *storage.Database)
	// Seed fills an empty database with development data: the text of the seed file. Safe to repeat. Optional.
	Seed func(ctx context.Context, db *storage.Database, data []byte) error
}

// Run runs the service until it is told to end. It does not return before, and ends the process when the start fails.
func Run(definition Definition) {
	name, nameless := policy.MeshName(definition.Contract)
	settings, wrong := config.Read(os.Getenv)
	level := "info"
	if wrong == nil {
		level = settings.LogLevel
	}
	log := telemetry.NewLogger(os.Stdout, name, level)
	err := errors.Join(nameless, wrong)
	if err == nil {
		err = serve(name, definition, settings, log)
	}
	if err != nil {
		log.Log(context.Background(), telemetry.LevelFatal, "start failed", telemetry.Err(err))
		os.Exit(1)
	}
}

func serve(name string, definition Definition, settings *config.Config, log *slog.Logger) error {
	running, err := start(name, definition, settings, log)
	if err != nil {
		return err
	}
	// Not before: a start that hangs is ended at once.
	stopping := make(chan os.Signal, 1)
	signal.Notify(stopping, syscall.SIGTERM, syscall.SIGINT)
	<-stopping
	force := time.AfterFunc(grace, func() {
		log.Error("stopping took too long")
		os.Exit(1)
	})
	running.stop()
	force.Stop()
	log.Info("stopped")
	return nil
}

// running is a process that serves, with what it has to let go of.
type running struct {
	cancel       context.CancelFunc
	server       *rpc.Server
	registration *discovery.Registration
	relay        *events.Relay
	consumers    *events.Consumers
	bus          *events.Bus
	db           *storage.Database
	workload     *identity.Workload
	telemetry    *telemetry.Telemetry
}

func start(name string, definition Definition, settings *config.Config, log *slog.Logger) (*running, error) {
	began := time.Now()
	traced, err := telemetry.ReadSettings(os.Getenv)
	if err != nil {
		return nil, err
	}
	// Of what follows the bus, and of nothing that serves.
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{cancel: cancel, telemetry: telemetry.Start(name, traced, log)}
	tele := r.telemetry
	domain := identity.Domain{Trust: settings.TrustDomain, Namespace: settings.Namespace}
	r.workload, err = identity.LoadWorkload(name, domain, settings.CertFile, settings.KeyFile, settings.TrustBundle, log)
	if err != nil {
		return nil, err
	}
	tele.Gauge("weft_certificate_expiry_seconds", "Time until the certificate of this process expires", nil,
		func() float64 { return time.Until(r.workload.NotAfter()).Seconds() })
	if r.db, err = storage.Open(ctx, settings.DatabaseURL, definition.Migrations, tele, log); err != nil {
		return nil, err
	}
	if r.bus, err = events.Connect(settings.NatsURL, name, log); err != nil {
		return nil, err
	}
	if err := seed(ctx, definition, r.db, settings.SeedFile); err != nil {
		return nil, err
	}

	revocations := identity.FollowRevocations(ctx, r.bus, log)
	parts := rpc.Parts{
		Log: log, Workload: r.workload, Telemetry: tele, DirectCalls: settings.DirectCalls,
		Verifier: &identity.Verifier{
			Keys:   identity.NewKeys(settings.JwksURL, settings.JwksService, r.workload),
			Issuer: settings.TokenIssuer, Audience: settings.TokenAudience, IsRevoked: revocations.IsRevoked,
		},
	}
	if settings.Faults {
		parts.Faults = faults.Follow(ctx, r.bus, log)
	}
	var registered atomic.Pointer[discovery.Registration]
	state := &discovery.State{
		Service: name, Instance: instanceName(settings), Version: settings.Version, StartedAt: began,
		Kind: settings.Discovery, Registration: registered.Load, ExpiresAt: r.workload.NotAfter,
	}
	contracts := []protoreflect.ServiceDescriptor{
		definition.Contract, meshv1.File_weft_mesh_v1_mesh_proto.Services().ByName("MeshService"),
	}
	readers, err := events.Readers(name, definition.Consumes, r.db, tele, log)
	if err != nil {
		return nil, err
	}
	if len(readers) > 0 {
		contracts = append(contracts, eventsv1.File_weft_events_v1_dead_letters_proto.Services().ByName("DeadLetterService"))
	}
	r.server, err = rpc.NewServer(parts, contracts, func(registrar grpc.ServiceRegistrar) {
		definition.Register(registrar, r.db)
		meshv1.RegisterMeshServiceServer(registrar, state)
		if len(readers) > 0 {
			eventsv1.RegisterDeadLetterServiceServer(registrar, events.NewDeadLetterRPC(r.db, readers, log))
		}
	})
	if err != nil {
		return nil, err
	}
	state.Load = r.server.Load
	r.server.Load.Observe(tele)

	// Without NATS there is nobody to hear of revoked tokens from; that must not keep a service from starting.
	select {
	case <-revocations.Loaded:
	case <-time.After(patience):
	}
	port, err := r.server.Listen(settings.Host + ":" + strconv.Itoa(settings.Port))
	if err != nil {
		return nil, err
	}
	if r.relay, err = events.StartRelay(r.db, r.bus, definition.Emits, settings.StreamReplicas, tele, log); err != nil {
		return nil, err
	}
	tele.Registry.MustRegister(events.NewLag(r.db))
	r.consumers = events.StartConsumers(readers, r.bus, tele)
	if policy.RequiresKeys(definition.Contract) {
		go idempotency.PruneNowAndThen(ctx, r.db, log)
	}
	r.server.SetReady(true)
	if settings.Discovery == "registry" {
		r.registration = discovery.Register(r.bus, entryOf(name, settings, domain, port, began), log)
		registered.Store(r.registration)
	}
	log.Info("ready", "port", port)
	return r, nil
}

func seed(ctx context.Context, definition Definition, db *storage.Database, file string) error {
	if definition.Seed == nil || file == "" {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("WEFT_SEED_FILE: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, seedTimeout)
	defer cancel()
	return definition.Seed(ctx, db, data)
}

func entryOf(
	name string, settings *config.Config, domain identity.Domain, port int, began time.Time,
) discovery.Entry {
	address := settings.Address
	if address == "" {
		address = fmt.Sprintf("https://%s:%d", settings.Host, port)
	}
	return discovery.Entry{
		Service: name, Instance: instanceName(settings), Version: settings.Version, Address: address,
		SpiffeID: domain.ID(name), StartedAt: began.UTC().Truncate(time.Millisecond),
	}
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_-]`)

func instanceName(settings *config.Config) string {
	if settings.Instance != "" {
		return settings.Instance
	}
	host, _ := os.Hostname()
	host = notInNames.ReplaceAllString(host, "-")
	return fmt.Sprintf("%.60s-%d", host, os.Getpid())
}

func (r *running) stop() {
	r.server.SetReady(false) // balancers look away before anything closes
	if r.registration != nil {
		r.registration.End() // callers do, too: no new calls once they have heard of it
	}
	r.consumers.Stop() // no new events; those in hand finish
	r.server.Close()   // no new calls; those in flight finish
	r.relay.Stop()     // what was recorded until now may leave
	r.cancel()
	r.bus.Close()
	r.db.Close()
	r.workload.Close()
	r.telemetry.Stop() // last: all of the above may have ended spans
}
