package istio

import (
	"os"
	"path/filepath"
	"testing"

	kubecrd "istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/config/schema/collections"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What the API server would say: schema, unknown fields, CEL rules.
func TestCustomResourceDefinitionsTakeEveryObject(t *testing.T) {
	source := os.Getenv("ISTIO_SOURCE")
	validator, err := crd.NewValidatorFromFilesWithOptions([]string{
		filepath.Join(source, "tests/integration/pilot/testdata/gateway-api-crd.yaml"),
		filepath.Join(source, "manifests/charts/base/files/crd-all.gen.yaml"),
	}, crd.WithoutCRDValidation())
	if err != nil {
		t.Fatal(err)
	}
	eachOverlay(t, func(t *testing.T, _ Contract, objects []*unstructured.Unstructured) {
		for _, object := range ofIstio(objects) {
			if err := validator.ValidateCustomResource(object.DeepCopy()); err != nil {
				t.Error(err)
			}
		}
	})
}

// What istiod's webhook would say; its warnings count as well.
func TestIstioTakesEveryObject(t *testing.T) {
	eachOverlay(t, func(t *testing.T, _ Contract, objects []*unstructured.Unstructured) {
		configs, _, err := kubecrd.ParseInputs(texts(t, ofIstio(objects)))
		if err != nil {
			t.Fatal(err)
		}
		if len(configs) < 5 {
			t.Fatalf("only %d objects of Istio's", len(configs))
		}
		for _, config := range configs {
			schema, found := collections.PilotGatewayAPI().FindByGroupVersionAliasesKind(config.GroupVersionKind)
			if !found {
				t.Errorf("%v is not known", config.GroupVersionKind)
				continue
			}
			warning, err := schema.ValidateConfig(config)
			if err != nil || warning != nil {
				t.Errorf("%s %s: %v %v", config.GroupVersionKind.Kind, config.Name, err, warning)
			}
		}
	})
}

func eachOverlay(t *testing.T, run func(t *testing.T, contract Contract, objects []*unstructured.Unstructured)) {
	eachContract(t, func(t *testing.T, contract Contract) {
		t.Run("sidecar", func(t *testing.T) { run(t, contract, objectsOf(t, contract.Sidecar)) })
		t.Run("ambient", func(t *testing.T) { run(t, contract, objectsOf(t, contract.Ambient)) })
	})
}

// Objects whose definitions Istio brings along.
func ofIstio(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	var own []*unstructured.Unstructured
	for _, object := range objects {
		switch object.GroupVersionKind().Group {
		case "networking.istio.io", "security.istio.io", "telemetry.istio.io", "gateway.networking.k8s.io":
			own = append(own, object)
		}
	}
	return own
}
