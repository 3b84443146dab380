package main

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"rke2-upgrade/rehearsal/toolchain/internal/rpc"
)

const (
	fieldManagerKey = "__fieldManager"
	apiVersionKey   = "__initialApiVersion"

	autonamedAnnotation      = "pulumi.com/autonamed"
	fieldManagerAnnotation   = "pulumi.com/patchFieldManager"
	patchForceAnnotation     = "pulumi.com/patchForce"
	replaceUnreadyAnnotation = "pulumi.com/replaceUnready"
	skipAwaitAnnotation      = "pulumi.com/skipAwait"
	timeoutAnnotation        = "pulumi.com/timeoutSeconds"
)

// objectOf is the Kubernetes object in properties on the wire, without secret marks and without our own keys.
func objectOf(properties *structpb.Struct) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	if err := rpc.Into(properties, &object.Object); err != nil {
		return nil, err
	}
	for key := range object.Object {
		if strings.HasPrefix(key, "__") {
			delete(object.Object, key)
		}
	}
	return object, nil
}

// stateOf is what the state keeps of a live object. What is secret in the inputs is secret in the state.
func stateOf(live *unstructured.Unstructured, inputs resource.PropertyMap, fieldManager string) (*structpb.Struct, error) {
	state := resource.NewPropertyMapFromMap(live.Object)
	markSecrets(state, inputs)
	state[fieldManagerKey] = resource.NewProperty(fieldManager)
	state[apiVersionKey] = resource.NewProperty(live.GetAPIVersion())
	return rpc.Encode(state)
}

// markSecrets marks those properties as secret that have a secret in the same place of the inputs.
func markSecrets(state, inputs resource.PropertyMap) {
	for key, input := range inputs {
		value, found := state[key]
		switch {
		case !found || value.IsSecret():
		case value.IsObject() && input.IsObject():
			markSecrets(value.ObjectValue(), input.ObjectValue())
		case input.ContainsSecrets():
			state[key] = resource.MakeSecret(value)
		}
	}
}

// prune cuts a live value down to the shape of the inputs, so that nothing shows that the cluster filled in itself.
func prune(live, shape any) any {
	switch shape := shape.(type) {
	case map[string]any:
		if live, isMap := live.(map[string]any); isMap {
			pruned := map[string]any{}
			for key, inner := range shape {
				if value, found := live[key]; found {
					pruned[key] = prune(value, inner)
				}
			}
			return pruned
		}
	case []any:
		if live, isSlice := live.([]any); isSlice {
			pruned := []any{}
			for i, value := range live {
				if i < len(shape) {
					value = prune(value, shape[i])
				}
				pruned = append(pruned, value)
			}
			return pruned
		}
	}
	return live
}

// imported are the inputs of an object that was not made by the program.
func imported(live *unstructured.Unstructured) map[string]any {
	inputs := live.DeepCopy()
	unstructured.RemoveNestedField(inputs.Object, "status")
	for _, field := range []string{"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"} {
		unstructured.RemoveNestedField(inputs.Object, "metadata", field)
	}
	return inputs.Object
}

// qualified is the object's name with its namespace, which is also the resource's ID.
func qualified(object *unstructured.Unstructured) string {
	if object.GetNamespace() == "" {
		return object.GetName()
	}
	return object.GetNamespace() + "/" + object.GetName()
}

// annotated tells whether the object has an annotation that is set to true.
func annotated(object *unstructured.Unstructured, annotation string) bool {
	return object.GetAnnotations()[annotation] == "true"
}
