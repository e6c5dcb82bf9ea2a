package istio

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Contract is what expected.ts writes: what each RPC is promised, read from the contract by the kit's own processes.
type Contract struct {
	Name        string
	Namespace   string
	TrustDomain string
	Port        int
	// Kustomizations and values for istiod.
	Sidecar, Ambient Overlay
	// Issuer and audience of users' tokens; empty: meshes know of no users.
	Issuer, Audience string
	// Service that publishes the keys of tokens; empty: somebody outside the mesh.
	KeysFrom  string
	Workloads []string
	RPCs      []RPC
}

// Overlay is what a cluster gets. Paths are absolute.
type Overlay struct{ Kustomization, Values string }

// RPC is what a policy promises. Times in milliseconds.
type RPC struct {
	Service, Path string
	TimeoutMs     int
	// Tries after the first, and the gRPC conditions of a try; 0: never retried.
	Retries  int
	RetryOn  []string
	PerTryMs int
	// Calls in flight from one proxy, failures in a row until ejection, and for how long.
	InFlight, FailuresInARow, WindowMs, OpenMs int
	// Names of workloads; "*": anybody.
	Callers []string
	// Users must show a token, and one of these roles if there are any.
	User  bool
	Roles []string
}

func (r RPC) admits(caller string) bool {
	return slices.Contains(r.Callers, caller) || slices.Contains(r.Callers, "*")
}

func (c Contract) of(service string) []RPC {
	var own []RPC
	for _, rpc := range c.RPCs {
		if rpc.Service == service {
			own = append(own, rpc)
		}
	}
	return own
}

func (c Contract) host(service string) string {
	return service + "." + c.Namespace + ".svc.cluster.local"
}

func (c Contract) identity(workload string) string {
	return "spiffe://" + c.TrustDomain + "/ns/" + c.Namespace + "/sa/" + workload
}

// eachContract runs a test for every contract of $WEFT_CONTRACTS, a folder of main.ts's.
func eachContract(t *testing.T, run func(t *testing.T, contract Contract)) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("WEFT_CONTRACTS"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("run this by npm run verify:istio, which says what the contracts promise")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var contract Contract
		if err := json.Unmarshal(data, &contract); err != nil {
			t.Fatal(err)
		}
		t.Run(contract.Name, func(t *testing.T) { run(t, contract) })
	}
}
