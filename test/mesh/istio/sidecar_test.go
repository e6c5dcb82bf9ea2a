package istio

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xdstest"
)

// What istiod tells the sidecars of callers: one route for each RPC they may call, with its time, its retries and
// a cluster with its bounds; and nothing of services that they may not call.
func TestSidecarsOfCallers(t *testing.T) {
	eachContract(t, func(t *testing.T, contract Contract) {
		istiod := startIstiod(t, contract, contract.Sidecar)
		for _, caller := range contract.Workloads {
			t.Run(caller, func(t *testing.T) {
				proxy := istiod.proxyOf(t, caller)
				hosts := virtualHosts(istiod.Routes(proxy), contract.Port)
				clusters := xdstest.ExtractClusters(istiod.Clusters(proxy))
				for _, callee := range contract.Workloads {
					if callee != caller {
						calleeSeenBy(t, contract, caller, callee, hosts[contract.host(callee)], clusters)
					}
				}
			})
		}
	})
}

func calleeSeenBy(t *testing.T, contract Contract, caller, callee string, host *route.VirtualHost, clusters map[string]*cluster.Cluster) {
	t.Helper()
	reached := callee == contract.KeysFrom
	for _, rpc := range contract.of(callee) {
		reached = reached || rpc.admits(caller)
	}
	if !reached {
		if host != nil {
			t.Errorf("%s may call nothing of %s and knows the way to it", caller, callee)
		}
		return
	}
	if host == nil {
		t.Errorf("%s does not know the way to %s", caller, callee)
		return
	}
	for _, rpc := range contract.of(callee) {
		routed := onlyRoute(t, host, rpc.Path)
		if routed == nil {
			continue
		}
		routeKeepsPolicy(t, routed, rpc)
		to := clusters[routed.GetRoute().GetCluster()]
		if to == nil {
			t.Errorf("%s: its cluster %q is not there", rpc.Path, routed.GetRoute().GetCluster())
			continue
		}
		clusterKeepsPolicy(t, to, rpc.Path, rpc)
		if !strings.Contains(to.String(), contract.identity(callee)) {
			t.Errorf("%s: whoever answers need not be %s", to.Name, contract.identity(callee))
		}
	}
	if last := host.Routes[len(host.Routes)-1]; last.GetRoute().GetRetryPolicy() != nil {
		t.Errorf("%s: what is in no contract is retried", callee)
	}
}

// virtualHosts of the port where gRPC is called, by host.
func virtualHosts(configs []*route.RouteConfiguration, port int) map[string]*route.VirtualHost {
	byHost := map[string]*route.VirtualHost{}
	for _, config := range configs {
		for _, host := range config.VirtualHosts {
			if name, found := strings.CutSuffix(host.Name, fmt.Sprintf(":%d", port)); found {
				byHost[name] = host
			}
		}
	}
	return byHost
}

// onlyRoute is the one that a call of path takes. Envoy takes the first that matches; a second would be dead.
func onlyRoute(t *testing.T, host *route.VirtualHost, path string) *route.Route {
	t.Helper()
	var exact []*route.Route
	for index, each := range host.Routes {
		last := index == len(host.Routes)-1
		if each.Match.GetPath() == path {
			exact = append(exact, each)
		} else if each.Match.GetPath() == "" && !last {
			t.Errorf("%s: route %q before the last one takes more than one path", host.Name, each.Name)
		}
	}
	if len(exact) != 1 {
		t.Errorf("%s: %d routes for %s", host.Name, len(exact), path)
		return nil
	}
	return exact[0]
}

func routeKeepsPolicy(t *testing.T, routed *route.Route, rpc RPC) {
	t.Helper()
	action := routed.GetRoute()
	same(t, rpc.Path, "timeout", int(action.GetTimeout().AsDuration().Milliseconds()), rpc.TimeoutMs)
	retries := action.GetRetryPolicy()
	same(t, rpc.Path, "retries", int(retries.GetNumRetries().GetValue()), rpc.Retries)
	if rpc.Retries == 0 {
		return
	}
	same(t, rpc.Path, "time of a try", int(retries.GetPerTryTimeout().AsDuration().Milliseconds()), rpc.PerTryMs)
	conditions := strings.Split(retries.RetryOn, ",")
	for _, condition := range rpc.RetryOn {
		if !slices.Contains(conditions, condition) {
			t.Errorf("%s: is not retried on %s, only on %v", rpc.Path, condition, conditions)
		}
	}
	for _, condition := range conditions {
		if slices.Contains(grpcConditions, condition) && !slices.Contains(rpc.RetryOn, condition) {
			t.Errorf("%s: is retried on %s, which its policy does not say", rpc.Path, condition)
		}
	}
}

// Of the calls in flight, in percent.
const retryBudget = 20

// What Envoy can retry on of gRPC.
var grpcConditions = []string{"cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"}

func clusterKeepsPolicy(t *testing.T, to *cluster.Cluster, what string, rpc RPC) {
	t.Helper()
	bounds := to.GetCircuitBreakers().GetThresholds()[0]
	same(t, what, "calls in flight", int(bounds.GetMaxRequests().GetValue()), rpc.InFlight)
	same(t, what, "percent of retries", int(bounds.GetRetryBudget().GetBudgetPercent().GetValue()), retryBudget)
	ejection := to.GetOutlierDetection()
	same(t, what, "failures in a row", int(ejection.GetConsecutive_5Xx().GetValue()), rpc.FailuresInARow)
	same(t, what, "failures in a row", int(ejection.GetConsecutiveGatewayFailure().GetValue()), rpc.FailuresInARow)
	same(t, what, "percent that may be ejected", int(ejection.GetMaxEjectionPercent().GetValue()), 100)
	same(t, what, "window", int(ejection.GetInterval().AsDuration().Milliseconds()), rpc.WindowMs)
	same(t, what, "time ejected", int(ejection.GetBaseEjectionTime().AsDuration().Milliseconds()), rpc.OpenMs)
	same(t, what, "balancing", int(to.LbPolicy), int(cluster.Cluster_LEAST_REQUEST))
}

func same(t *testing.T, whose, what string, is, promised int) {
	t.Helper()
	if is != promised {
		t.Errorf("%s: %s is %d, promised are %d", whose, what, is, promised)
	}
}

// What istiod tells the sidecar of a callee: who may call what, for which user, over mutual TLS only.
func TestSidecarsOfCallees(t *testing.T) {
	eachContract(t, func(t *testing.T, contract Contract) {
		istiod := startIstiod(t, contract, contract.Sidecar)
		for _, callee := range contract.Workloads {
			t.Run(callee, func(t *testing.T) {
				proxy := istiod.proxyOf(t, callee)
				doors := 0
				inbound := xdstest.ExtractListener(model.VirtualInboundListenerName, istiod.Listeners(proxy))
				for _, chain := range inbound.FilterChains {
					if chain.FilterChainMatch.GetDestinationPort().GetValue() != uint32(contract.Port) {
						continue
					}
					doors++
					if chain.TransportSocket == nil {
						t.Errorf("%s takes plain text", chain.Name)
					}
					manager := xdstest.ExtractHTTPConnectionManager(t, chain)
					admits(t, contract, callee, manager, istiod.Clusters(proxy))
				}
				if doors != 1 {
					t.Errorf("%d chains of filters for what comes in at port %d", doors, contract.Port)
				}
				// The process takes HTTP/2, whichever of its Service's names was called.
				to := xdstest.ExtractCluster(fmt.Sprintf("inbound|%d||", contract.Port), istiod.Clusters(proxy))
				if to == nil || !strings.Contains(to.String(), "http2_protocol_options") {
					t.Errorf("calls do not reach the process by HTTP/2: %v", to)
				}
			})
		}
	})
}
