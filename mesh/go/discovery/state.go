package discovery

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	meshv1 "weft.local/weft/gen/go/weft/mesh/v1"
	"weft.local/weft/mesh/go/rpc"
)

// State answers weft.mesh.v1.MeshService: what the process knows of itself. It calls nobody, so that it has no
// upstreams and no breakers.
type State struct {
	meshv1.UnimplementedMeshServiceServer
	Service, Instance, Version string
	StartedAt                  time.Time
	// Kind is how it would find upstreams; Registration is nil where there is no registry.
	Kind         string
	Registration func() *Registration
	Load         *rpc.Load
	ExpiresAt    func() time.Time
}

// GetState is of the contract.
func (s *State) GetState(context.Context, *meshv1.GetStateRequest) (*meshv1.ProcessState, error) {
	registration := s.Registration()
	return &meshv1.ProcessState{
		Service:   s.Service,
		Instance:  s.Instance,
		Version:   s.Version,
		StartedAt: timestamppb.New(s.StartedAt),
		Discovery: &meshv1.Discovery{Kind: s.Kind, RegistryLive: registration != nil && registration.IsLive()},
		Load: &meshv1.Load{
			InFlight: int32(s.Load.InFlight()),
			Shed:     s.Load.Shed(),
		},
		CertificateExpiresAt: timestamppb.New(s.ExpiresAt()),
	}, nil
}
