package istio

import (
	"strings"
	"testing"

	"istio.io/istio/pkg/config/analysis/analyzers"
	"istio.io/istio/pkg/config/analysis/diag"
	"istio.io/istio/pkg/config/analysis/local"
	"istio.io/istio/pkg/config/analysis/msg"
	"istio.io/istio/pkg/config/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What `istioctl analyze` would say of a cluster with all of it.
func TestTheAnalyzerFindsNothing(t *testing.T) {
	eachOverlay(t, func(t *testing.T, contract Contract, objects []*unstructured.Unstructured) {
		for _, message := range analyze(t, inCluster(t, objects, contract.Namespace), contract.Namespace) {
			// A Service has two names for its one port, for HTTP/2 and HTTP/1.1: TestSidecarsOfCallees says which counts.
			if message.Type != msg.DeploymentConflictingPorts {
				t.Error(message.String())
			}
		}
	})
}

func TestTheAnalyzerWouldFindARouteToNowhere(t *testing.T) {
	eachContract(t, func(t *testing.T, contract Contract) {
		objects := objectsOf(t, contract.Sidecar)
		for _, object := range objects {
			if object.GetKind() == "VirtualService" {
				set(t, object, []any{map[string]any{"route": []any{
					map[string]any{"destination": map[string]any{"host": "nowhere"}},
				}}}, "spec", "http")
				if messages := analyze(t, objects, contract.Namespace); len(messages) == 0 {
					t.Error("a destination that is nowhere was not found")
				}
				return
			}
		}
	})
}

func analyze(t *testing.T, objects []*unstructured.Unstructured, namespace string) diag.Messages {
	t.Helper()
	analyzer := local.NewIstiodAnalyzer(analyzers.AllCombined(), resource.Namespace(namespace), "istio-system", nil)
	// First, so that pods and services count as well.
	source := local.ReaderSource{Name: "overlay", Reader: strings.NewReader(texts(t, objects))}
	if err := analyzer.AddTestReaderKubeSource([]local.ReaderSource{source}); err != nil {
		t.Fatal(err)
	}
	if err := analyzer.AddDefaultResources(); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	defer close(stop)
	result, err := analyzer.Analyze(stop)
	if err != nil {
		t.Fatal(err)
	}
	return result.Messages
}
