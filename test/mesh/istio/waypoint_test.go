package istio

import (
	"slices"
	"testing"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xdstest"
	"istio.io/istio/pkg/config/host"
)

// What istiod tells the waypoint, which all calls of the namespace go through in ambient mode.
func TestWaypoint(t *testing.T) {
	eachContract(t, func(t *testing.T, contract Contract) {
		istiod := startIstiod(t, contract, contract.Ambient)
		proxy := istiod.waypoint()
		main := xdstest.ExtractListener("main_internal", istiod.Listeners(proxy))
		clusters := istiod.Clusters(proxy)
		for _, callee := range contract.Workloads {
			rpcs := contract.of(callee)
			if len(rpcs) == 0 {
				continue
			}
			t.Run(callee, func(t *testing.T) {
				name := model.BuildSubsetKey(model.TrafficDirectionInboundVIP, "http", host.Name(contract.host(callee)), contract.Port)
				chain := xdstest.ExtractFilterChain(name, main)
				if chain == nil {
					t.Fatalf("no chain %s among %v", name, xdstest.ExtractFilterChainNames(main))
				}
				manager := xdstest.ExtractHTTPConnectionManager(t, chain)
				for _, rpc := range rpcs {
					routed := onlyRoute(t, manager.GetRouteConfig().VirtualHosts[0], rpc.Path)
					if routed == nil {
						continue
					}
					routeKeepsPolicyOfWaypoint(t, routed, rpc)
					to := xdstest.ExtractCluster(routed.GetRoute().GetCluster(), clusters)
					if to == nil {
						t.Errorf("%s: its cluster %q is not there", rpc.Path, routed.GetRoute().GetCluster())
						continue
					}
					clusterKeepsPolicy(t, to, rpc.Path, widest(rpcs))
				}
				admits(t, contract, callee, manager, clusters)
			})
		}
	})
}

// Routes of the Gateway API retry on UNAVAILABLE and CANCELLED, always on both.
func routeKeepsPolicyOfWaypoint(t *testing.T, routed *route.Route, rpc RPC) {
	t.Helper()
	if slices.Contains(rpc.RetryOn, "unavailable") {
		rpc.RetryOn = []string{"unavailable", "cancelled"}
	} else {
		rpc.Retries, rpc.RetryOn = 0, nil
	}
	routeKeepsPolicy(t, routed, rpc)
}

// widest is what all methods of a service share where a route cannot choose a subset.
func widest(rpcs []RPC) RPC {
	all := RPC{}
	for _, rpc := range rpcs {
		all.InFlight = max(all.InFlight, rpc.InFlight)
		all.FailuresInARow = max(all.FailuresInARow, rpc.FailuresInARow)
		all.WindowMs = max(all.WindowMs, rpc.WindowMs)
		all.OpenMs = max(all.OpenMs, rpc.OpenMs)
	}
	return all
}
