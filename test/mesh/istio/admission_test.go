package istio

import (
	"strings"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	"github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
	httprbac "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"istio.io/istio/pilot/test/xdstest"
)

const stranger = "stranger"

// admits holds the door of a callee against the contract: every caller, known or not, with every kind of user, at
// every path of the contract.
func admits(t *testing.T, contract Contract, callee string, manager *hcm.HttpConnectionManager, clusters []*cluster.Cluster) {
	t.Helper()
	rbac := []*httprbac.RBAC{}
	var users *jwt_authnv3.JwtAuthentication
	for _, filter := range manager.HttpFilters {
		switch filter.Name {
		case "envoy.filters.http.rbac":
			rbac = append(rbac, xdstest.UnmarshalAny[httprbac.RBAC](t, filter.GetTypedConfig()))
		case "envoy.filters.http.jwt_authn":
			users = xdstest.UnmarshalAny[jwt_authnv3.JwtAuthentication](t, filter.GetTypedConfig())
		}
	}
	if callee == "edge" {
		return // open to everybody: it decides by itself
	}
	if len(rbac) == 0 {
		t.Fatalf("%s: nobody is refused", callee)
	}
	looks := false
	callers := append([]string{stranger, "operator", ""}, contract.Workloads...)
	for _, rpc := range contract.RPCs {
		own := rpc.Service == callee
		looks = looks || (own && rpc.User)
		for _, caller := range callers {
			for _, user := range usersOf(contract, rpc) {
				request := request{path: rpc.Path, port: contract.Port, claims: user.claims}
				if caller != "" {
					request.principal = contract.identity(caller)
				}
				promised := own && rpc.admits(caller) && (!rpc.User || user.signedIn) && (len(rpc.Roles) == 0 || user.hasRole)
				if !own && servedBy(contract, callee, rpc.Path) {
					continue // another service's, at the same path as one of its own
				}
				if is := request.passes(t, rbac); is != promised {
					t.Errorf("%s at %s as %q, %s: passes is %v, promised is %v", rpc.Path, callee, caller, user.who, is, promised)
				}
			}
		}
	}
	if looks {
		checksTokens(t, contract, users, clusters)
	}
}

func servedBy(contract Contract, service, path string) bool {
	for _, rpc := range contract.of(service) {
		if rpc.Path == path {
			return true
		}
	}
	return false
}

type user struct {
	who               string
	claims            map[string]any
	signedIn, hasRole bool
}

// usersOf lists nobody, a user without a role, and one with each role that is enough.
func usersOf(contract Contract, rpc RPC) []user {
	if contract.Issuer == "" {
		return []user{{who: "nobody"}}
	}
	claims := func(issuer string, roles ...any) map[string]any {
		return map[string]any{"iss": issuer, "sub": "u", "roles": append([]any{"no role of the contract"}, roles...)}
	}
	users := []user{
		{who: "nobody"},
		{who: "a user of another issuer", claims: claims("https://elsewhere.example")},
		{who: "a user", claims: claims(contract.Issuer), signedIn: true},
	}
	for _, role := range rpc.Roles {
		with := user{who: "with role " + role, claims: claims(contract.Issuer, role), signedIn: true, hasRole: true}
		users = append(users, with)
	}
	return users
}

// checksTokens: of one issuer, for us, with keys from somewhere this proxy knows the way to, and passed on.
func checksTokens(t *testing.T, contract Contract, users *jwt_authnv3.JwtAuthentication, clusters []*cluster.Cluster) {
	t.Helper()
	if users == nil || len(users.Providers) != 1 {
		t.Fatalf("checks no tokens, or those of several issuers: %v", users)
	}
	for _, provider := range users.Providers {
		if provider.Issuer != contract.Issuer || len(provider.Audiences) != 1 || provider.Audiences[0] != contract.Audience {
			t.Errorf("tokens of %s for %v", provider.Issuer, provider.Audiences)
		}
		if !provider.Forward || provider.PayloadInMetadata != payload {
			t.Errorf("tokens go lost: forward %v, claims in %q", provider.Forward, provider.PayloadInMetadata)
		}
		if contract.KeysFrom == "" {
			if keys := provider.GetLocalJwks().GetInlineString(); !strings.Contains(keys, `"key-1"`) {
				t.Errorf("istiod has not fetched the keys of main.ts: %s", keys)
			}
		} else if keys := provider.GetRemoteJwks().GetHttpUri().GetCluster(); xdstest.ExtractCluster(keys, clusters) == nil {
			t.Errorf("keys come from cluster %q, which is not there", keys)
		}
	}
}
