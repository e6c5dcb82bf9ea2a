package istio

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// objectsOf is what a cluster would be given.
func objectsOf(t *testing.T, overlay Overlay) []*unstructured.Unstructured {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), overlay.Kustomization)
	if err != nil {
		t.Fatalf("kustomize build %s: %v", overlay.Kustomization, err)
	}
	var objects []*unstructured.Unstructured
	for _, resource := range built.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, parse(t, string(text)))
	}
	return objects
}

// inCluster adds what a cluster makes of the objects: addresses, one running pod for each Deployment, behind the
// Service of its name, and the Service of a waypoint.
func inCluster(t *testing.T, objects []*unstructured.Unstructured, namespace string) []*unstructured.Unstructured {
	t.Helper()
	made := []*unstructured.Unstructured{parse(t, namespaceOfObservability)}
	mode := "sidecar"
	for _, object := range objects {
		if object.GetKind() == "Namespace" && object.GetLabels()["istio.io/dataplane-mode"] == "ambient" {
			mode = "ambient"
		}
	}
	services, pods := 0, 0
	for _, object := range objects {
		copied := object.DeepCopy()
		made = append(made, copied)
		switch object.GetKind() {
		case "Service":
			if address, _, _ := unstructured.NestedString(object.Object, "spec", "clusterIP"); address == "" {
				services++
				set(t, copied, fmt.Sprintf("10.96.%d.%d", services/250, services%250+1), "spec", "clusterIP")
			}
		case "Deployment":
			pods++
			made = append(made, podOf(t, object, podAddress(pods), mode), endpointsOf(t, object, podAddress(pods)))
		case "Gateway":
			if class, _, _ := unstructured.NestedString(object.Object, "spec", "gatewayClassName"); class != "istio-waypoint" {
				continue
			}
			name := object.GetName()
			host := name + "." + namespace + ".svc.cluster.local"
			set(t, copied, []any{map[string]any{"type": "Hostname", "value": host}}, "status", "addresses")
			made = append(made, parse(t, waypointService(name, namespace)), parse(t, waypointPod(name, namespace)))
		}
	}
	return made
}

func podAddress(number int) string { return fmt.Sprintf("10.1.%d.%d", number/250, number%250+1) }

func podOf(t *testing.T, deployment *unstructured.Unstructured, address, mode string) *unstructured.Unstructured {
	t.Helper()
	template, found, err := unstructured.NestedMap(deployment.Object, "spec", "template")
	if err != nil || !found {
		t.Fatalf("%s has no template", deployment.GetName())
	}
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetName(deployment.GetName() + "-1")
	pod.SetNamespace(deployment.GetNamespace())
	if mode == "ambient" {
		set(t, pod, "enabled", "metadata", "annotations", "ambient.istio.io/redirection")
	} else {
		containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
		proxy := map[string]any{"name": "istio-proxy", "image": "proxyv2"}
		set(t, pod, append(containers, proxy), "spec", "containers")
	}
	running(t, pod, address)
	return pod
}

// From deploy/observability; whoever reads metrics is there.
const namespaceOfObservability = `
apiVersion: v1
kind: Namespace
metadata:
  name: observability
`

// endpointsOf names the pod of a Deployment behind the Service of the same name.
func endpointsOf(t *testing.T, deployment *unstructured.Unstructured, address string) *unstructured.Unstructured {
	t.Helper()
	return parse(t, fmt.Sprintf(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: "%[1]s"
  namespace: %[2]s
  labels:
    kubernetes.io/service-name: "%[1]s"
addressType: IPv4
endpoints:
  - addresses: [%[3]s]
    conditions: {ready: true}
    targetRef: {kind: Pod, name: "%[1]s-1", namespace: %[2]s}
ports:
  - {name: grpc, port: 8080, protocol: TCP}
  - {name: http, port: 8080, protocol: TCP}
`, deployment.GetName(), deployment.GetNamespace(), address))
}

func running(t *testing.T, pod *unstructured.Unstructured, address string) {
	t.Helper()
	set(t, pod, "node", "spec", "nodeName")
	set(t, pod, map[string]any{
		"phase":      "Running",
		"podIP":      address,
		"podIPs":     []any{map[string]any{"ip": address}},
		"conditions": []any{map[string]any{"type": "Ready", "status": "True"}},
	}, "status")
}

const waypointAddress = "10.2.0.1"

func waypointService(name, namespace string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata:
  name: "%[1]s"
  namespace: %[2]s
  labels:
    gateway.istio.io/managed: istio.io-mesh-controller
    gateway.networking.k8s.io/gateway-name: %[1]s
spec:
  clusterIP: 10.97.0.1
  ports:
    - {name: mesh, port: 15008, appProtocol: hbone}
  selector:
    gateway.networking.k8s.io/gateway-name: %[1]s
`, name, namespace)
}

func waypointPod(name, namespace string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata:
  name: "%[1]s-1"
  namespace: %[2]s
  labels:
    gateway.istio.io/managed: istio.io-mesh-controller
    gateway.networking.k8s.io/gateway-name: %[1]s
spec:
  serviceAccountName: %[1]s
  nodeName: node
status:
  phase: Running
  podIP: %[3]s
  podIPs: [{ip: %[3]s}]
  conditions: [{type: Ready, status: "True"}]
`, name, namespace, waypointAddress)
}

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	// Which keeps whole numbers whole, as the API server does.
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return object
}

func set(t *testing.T, object *unstructured.Unstructured, value any, path ...string) {
	t.Helper()
	if err := unstructured.SetNestedField(object.Object, value, path...); err != nil {
		t.Fatal(err)
	}
}

func texts(t *testing.T, objects []*unstructured.Unstructured) string {
	t.Helper()
	var all []string
	for _, object := range objects {
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return strings.Join(all, "\n---\n")
}
