package istio

import (
	"regexp"
	"strings"
	"testing"

	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	httprbac "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// Where istiod has the claims left for RBAC.
const payload = "payload"

// request is what Envoy's RBAC looks at; passes decides as Envoy would. What it does not know fails the test.
type request struct {
	principal, path string
	port            int
	claims          map[string]any
}

func (r request) passes(t *testing.T, filters []*httprbac.RBAC) bool {
	t.Helper()
	for _, filter := range filters {
		if filter.Rules == nil {
			t.Fatalf("a filter without rules: %v", filter)
		}
		matched := false
		for _, policy := range filter.Rules.Policies {
			if policy.Condition != nil || policy.CheckedCondition != nil {
				t.Fatal("conditions are not known here")
			}
			permitted, known := false, false
			for _, permission := range policy.Permissions {
				permitted = permitted || r.permitted(t, permission)
			}
			for _, principal := range policy.Principals {
				known = known || r.known(t, principal)
			}
			matched = matched || (permitted && known)
		}
		if matched != (filter.Rules.Action == rbacv3.RBAC_ALLOW) {
			return false
		}
	}
	return true
}

func (r request) permitted(t *testing.T, permission *rbacv3.Permission) bool {
	switch rule := permission.Rule.(type) {
	case *rbacv3.Permission_Any:
		return rule.Any
	case *rbacv3.Permission_AndRules:
		for _, each := range rule.AndRules.Rules {
			if !r.permitted(t, each) {
				return false
			}
		}
		return true
	case *rbacv3.Permission_OrRules:
		for _, each := range rule.OrRules.Rules {
			if r.permitted(t, each) {
				return true
			}
		}
		return false
	case *rbacv3.Permission_NotRule:
		return !r.permitted(t, rule.NotRule)
	case *rbacv3.Permission_UrlPath:
		return text(t, rule.UrlPath.GetPath(), r.path)
	case *rbacv3.Permission_DestinationPort:
		return int(rule.DestinationPort) == r.port
	case *rbacv3.Permission_Header:
		return header(t, rule.Header, ":method", "POST")
	}
	t.Fatalf("a permission that is not known here: %v", permission)
	return false
}

func (r request) known(t *testing.T, principal *rbacv3.Principal) bool {
	switch id := principal.Identifier.(type) {
	case *rbacv3.Principal_Any:
		return id.Any
	case *rbacv3.Principal_AndIds:
		for _, each := range id.AndIds.Ids {
			if !r.known(t, each) {
				return false
			}
		}
		return true
	case *rbacv3.Principal_OrIds:
		for _, each := range id.OrIds.Ids {
			if r.known(t, each) {
				return true
			}
		}
		return false
	case *rbacv3.Principal_NotId:
		return !r.known(t, id.NotId)
	case *rbacv3.Principal_Authenticated_:
		return r.principal != "" && text(t, id.Authenticated.PrincipalName, r.principal)
	case *rbacv3.Principal_FilterState:
		if id.FilterState.Key != "io.istio.peer_principal" {
			t.Fatalf("a state that is not known here: %s", id.FilterState.Key)
		}
		return r.principal != "" && text(t, id.FilterState.GetStringMatch(), r.principal)
	case *rbacv3.Principal_Metadata:
		return r.claimed(t, id.Metadata)
	}
	t.Fatalf("a principal that is not known here: %v", principal)
	return false
}

func (r request) claimed(t *testing.T, wanted *matcherv3.MetadataMatcher) bool {
	if wanted.Filter != "envoy.filters.http.jwt_authn" || len(wanted.Path) != 2 || wanted.Path[0].GetKey() != payload {
		t.Fatalf("metadata that is not known here: %v", wanted)
	}
	value := r.claims[wanted.Path[1].GetKey()]
	switch pattern := wanted.Value.MatchPattern.(type) {
	case *matcherv3.ValueMatcher_StringMatch:
		claim, isText := value.(string)
		return isText && text(t, pattern.StringMatch, claim)
	case *matcherv3.ValueMatcher_ListMatch:
		list, _ := value.([]any)
		for _, each := range list {
			if oneOf(t, pattern.ListMatch.GetOneOf(), each.(string)) {
				return true
			}
		}
		return false
	case *matcherv3.ValueMatcher_OrMatch:
		for _, each := range pattern.OrMatch.ValueMatchers {
			one := &matcherv3.MetadataMatcher{Filter: wanted.Filter, Path: wanted.Path, Value: each}
			if r.claimed(t, one) {
				return true
			}
		}
		return false
	}
	t.Fatalf("a claim that is not known here: %v", wanted.Value)
	return false
}

func oneOf(t *testing.T, wanted *matcherv3.ValueMatcher, value string) bool {
	if or := wanted.GetOrMatch(); or != nil {
		for _, each := range or.ValueMatchers {
			if oneOf(t, each, value) {
				return true
			}
		}
		return false
	}
	return text(t, wanted.GetStringMatch(), value)
}

func header(t *testing.T, wanted *routev3.HeaderMatcher, name, value string) bool {
	if wanted.Name != name {
		t.Fatalf("a header that is not known here: %v", wanted)
	}
	return text(t, wanted.GetStringMatch(), value)
}

func text(t *testing.T, wanted *matcherv3.StringMatcher, value string) bool {
	switch pattern := wanted.GetMatchPattern().(type) {
	case *matcherv3.StringMatcher_Exact:
		return value == pattern.Exact
	case *matcherv3.StringMatcher_Prefix:
		return strings.HasPrefix(value, pattern.Prefix)
	case *matcherv3.StringMatcher_Suffix:
		return strings.HasSuffix(value, pattern.Suffix)
	case *matcherv3.StringMatcher_SafeRegex:
		return regexp.MustCompile("^(?:" + pattern.SafeRegex.Regex + ")$").MatchString(value)
	}
	t.Fatalf("a pattern that is not known here: %v", wanted)
	return false
}
