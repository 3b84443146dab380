package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"rke2-upgrade/rehearsal/toolchain/internal/rpc"
)

// kind is one resource type that the stand-in covers.
type kind struct {
	apiVersion string
	name       string
	resource   schema.GroupVersionResource
	namespaced bool
	// immutable are the properties whose change replaces the object.
	immutable []string
}

// kinds by type token. Like the official plugin this one replaces a ConfigMap when its data change, unless the
// provider's enableConfigMapMutable is set.
var kinds = map[string]kind{
	"kubernetes:batch/v1:Job": {
		apiVersion: "batch/v1", name: "Job", namespaced: true,
		resource:  schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"},
		immutable: []string{"spec.completions", "spec.parallelism", "spec.selector", "spec.template"},
	},
	"kubernetes:core/v1:ConfigMap": {
		apiVersion: "v1", name: "ConfigMap", namespaced: true,
		resource:  schema.GroupVersionResource{Version: "v1", Resource: "configmaps"},
		immutable: []string{"binaryData", "data"},
	},
	"kubernetes:core/v1:Namespace": {
		apiVersion: "v1", name: "Namespace",
		resource: schema.GroupVersionResource{Version: "v1", Resource: "namespaces"},
	},
}

// kindOf is the kind of the resource with this URN.
func kindOf(urn string) (kind, error) {
	token := string(resource.URN(urn).Type())
	found, covered := kinds[token]
	if !covered {
		return kind{}, status.Errorf(codes.Unimplemented, "the rehearsal's stand-in for the Kubernetes plugin has no %s, "+
			"only Jobs, ConfigMaps, Namespaces and Helm Releases", token)
	}
	return found, nil
}

// replaces tells whether a change at this path of the object needs a new object.
func (k kind) replaces(path string, configMapMutable bool) bool {
	if rpc.Below(path, "metadata.name") || rpc.Below(path, "metadata.namespace") {
		return true
	}
	if k.name == "ConfigMap" && configMapMutable {
		return false
	}
	for _, property := range k.immutable {
		if rpc.Below(path, property) {
			return true
		}
	}
	return false
}
