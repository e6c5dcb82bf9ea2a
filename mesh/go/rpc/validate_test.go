package rpc

import (
	"testing"

	meshv1 "weft.local/weft/gen/go/weft/mesh/v1"
)

func TestTextWithNulIsFoundWhereverItIs(t *testing.T) {
	for path, message := range map[string]*meshv1.ProcessState{
		"":                                  {Service: "a", Upstreams: []*meshv1.Upstream{{Service: "b"}}},
		"service":                           {Service: "a\x00b"},
		"discovery.kind":                    {Discovery: &meshv1.Discovery{Kind: "\x00"}},
		"upstreams[1].service":              {Upstreams: []*meshv1.Upstream{{Service: "a"}, {Service: "b\x00"}}},
		"upstreams[0].endpoints[0].address": {Upstreams: []*meshv1.Upstream{{Endpoints: []*meshv1.Endpoint{{Address: "\x00"}}}}},
	} {
		if got, found := findNul(message.ProtoReflect()); found != (path != "") || (found && got != path) {
			t.Errorf("%q: %q, %v", path, got, found)
		}
	}
}
