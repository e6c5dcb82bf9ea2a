package istio

import (
	"os"
	"path/filepath"
	"testing"

	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/log"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// TestMain leaves out what istiod tells its operators of itself.
func TestMain(m *testing.M) {
	options := log.DefaultOptions()
	options.SetDefaultOutputLevel(log.OverrideScopeName, log.NoneLevel)
	if err := log.Configure(options); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// istiod is the control plane with all the objects of an overlay, without a cluster.
type istiod struct {
	*xds.FakeDiscoveryServer
	contract Contract
	objects  []*unstructured.Unstructured
}

func startIstiod(t *testing.T, contract Contract, overlay Overlay) istiod {
	t.Helper()
	objects := inCluster(t, objectsOf(t, overlay), contract.Namespace)
	known := []runtime.Object{}
	decoder := kube.IstioCodec.UniversalDeserializer()
	for _, object := range objects {
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		// Kinds of others, such as those of databases, are none of Istio's business.
		if decoded, _, err := decoder.Decode(text, nil, nil); err == nil {
			known = append(known, decoded)
		} else if !runtime.IsNotRegisteredError(err) {
			t.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
	server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
		ConfigString:      texts(t, ofIstio(objects)),
		KubernetesObjects: known,
		MeshConfig:        meshConfig(t, overlay.Values),
	})
	return istiod{server, contract, objects}
}

// proxyOf is the sidecar of a workload's pod.
func (d istiod) proxyOf(t *testing.T, workload string) *model.Proxy {
	t.Helper()
	for _, object := range d.objects {
		if object.GetKind() != "Pod" || object.GetName() != workload+"-1" {
			continue
		}
		address, _, _ := unstructured.NestedString(object.Object, "status", "podIP")
		account, _, _ := unstructured.NestedString(object.Object, "spec", "serviceAccountName")
		return d.SetupProxy(&model.Proxy{
			Type:            model.SidecarProxy,
			ID:              object.GetName() + "." + d.contract.Namespace,
			ConfigNamespace: d.contract.Namespace,
			Labels:          object.GetLabels(),
			IPAddresses:     []string{address},
			Metadata: &model.NodeMetadata{
				IstioVersion:   "1.31.0",
				Namespace:      d.contract.Namespace,
				Labels:         object.GetLabels(),
				ServiceAccount: account,
				ClusterID:      "Kubernetes",
			},
		})
	}
	t.Fatalf("%s has no deployment", workload)
	return nil
}

func (d istiod) waypoint() *model.Proxy {
	labels := map[string]string{
		"gateway.networking.k8s.io/gateway-name": "waypoint",
		"gateway.istio.io/managed":               "istio.io-mesh-controller",
	}
	return d.SetupProxy(&model.Proxy{
		Type:            model.Waypoint,
		ID:              "waypoint-1." + d.contract.Namespace,
		ConfigNamespace: d.contract.Namespace,
		Labels:          labels,
		IPAddresses:     []string{waypointAddress},
		Metadata: &model.NodeMetadata{
			IstioVersion:   "1.31.0",
			Namespace:      d.contract.Namespace,
			Labels:         labels,
			ServiceAccount: "waypoint",
			ClusterID:      "Kubernetes",
		},
	})
}

// meshConfig reads values of the Helm chart istiod, on top of the profile that they name. What they say of the
// environment is there already: main.ts sets it before this process starts.
func meshConfig(t *testing.T, file string) *meshconfig.MeshConfig {
	t.Helper()
	values := valuesIn(t, file)
	config := mesh.DefaultMeshConfig()
	if values.Profile != "" {
		chart := filepath.Join(os.Getenv("ISTIO_SOURCE"), "manifests/charts/istio-control/istio-discovery/files")
		config = applied(t, config, valuesIn(t, filepath.Join(chart, "profile-"+values.Profile+".yaml")))
	}
	return applied(t, config, values)
}

type istiodValues struct {
	Profile    string         `json:"profile"`
	MeshConfig map[string]any `json:"meshConfig"`
}

func valuesIn(t *testing.T, file string) istiodValues {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var values istiodValues
	if err := yaml.Unmarshal(data, &values); err != nil {
		t.Fatal(err)
	}
	return values
}

func applied(t *testing.T, config *meshconfig.MeshConfig, values istiodValues) *meshconfig.MeshConfig {
	t.Helper()
	text, err := yaml.Marshal(values.MeshConfig)
	if err != nil {
		t.Fatal(err)
	}
	config, err = mesh.ApplyMeshConfig(string(text), config)
	if err != nil {
		t.Fatal(err)
	}
	return config
}
