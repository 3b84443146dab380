package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"google.golang.org/protobuf/types/known/structpb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"rke2-upgrade/rehearsal/toolchain/internal/rpc"
)

const conflictHelp = "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/" +
	"managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources"

// application is one create or update.
type application struct {
	urn            string
	inputs, before *structpb.Struct
	timeout        float64
	preview        bool
	create         bool
}

// applied is what an application left behind; id is empty in a preview.
type applied struct {
	id    string
	state *structpb.Struct
}

// apply sends the object by server-side apply and waits until it is ready. A preview sends it as a dry run, or returns
// the inputs where that cannot be done.
func (p *kubernetesProvider) apply(ctx context.Context, a application) (applied, error) {
	kind, err := kindOf(a.urn)
	if err != nil {
		return applied{}, err
	}
	if p.cluster.unreachable != "" && !a.preview {
		return applied{}, fmt.Errorf("configured Kubernetes cluster is unreachable: %s", p.cluster.unreachable)
	}
	inputs, err := rpc.Decode(a.inputs)
	if err != nil {
		return applied{}, err
	}
	if a.preview && (inputs.ContainsUnknowns() || p.cluster.unreachable != "") {
		return applied{state: a.inputs}, nil
	}
	object, err := objectOf(a.inputs)
	if err != nil {
		return applied{}, err
	}
	manager, err := fieldManager(object, a.before)
	if err != nil {
		return applied{}, err
	}
	live, err := p.send(ctx, kind, object, manager, a)
	if err != nil {
		if a.preview && (apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err)) {
			return applied{state: a.inputs}, nil
		}
		return applied{}, err
	}
	if a.preview {
		unstructured.RemoveNestedField(live.Object, "status")
		state, err := stateOf(live, inputs, manager)
		return applied{state: state}, err
	}
	live, failure := p.await(kind, live, a)
	state, err := stateOf(live, inputs, manager)
	if err != nil {
		return applied{}, err
	}
	if failure != nil {
		reason := fmt.Errorf("the Kubernetes API server reported that %q failed to fully initialize or become live: %w",
			qualified(object), failure)
		if a.create {
			reason = fmt.Errorf("resource %s was successfully created, but the Kubernetes API server reported that it "+
				"failed to fully initialize or become live: %w", qualified(object), failure)
		}
		return applied{}, partial(qualified(live), failure, reason, state, nil)
	}
	return applied{id: qualified(live), state: state}, nil
}

// send makes the API call. An object that exists already is not taken over, unless the provider is told to.
func (p *kubernetesProvider) send(
	ctx context.Context, kind kind, object *unstructured.Unstructured, manager string, a application,
) (*unstructured.Unstructured, error) {
	client := p.client(kind, object.GetNamespace())
	notCreated := func(err error) error {
		return fmt.Errorf("resource %s was not successfully created by the Kubernetes API server: %w", qualified(object), err)
	}
	if a.create && p.settings.UpsertExistingObjects != "true" {
		_, err := client.Get(ctx, object.GetName(), metav1.GetOptions{})
		if err == nil {
			return nil, notCreated(apierrors.NewAlreadyExists(kind.resource.GroupResource(), object.GetName()))
		}
		if !apierrors.IsNotFound(err) {
			return nil, notCreated(err)
		}
	}
	body, err := json.Marshal(object.Object)
	if err != nil {
		return nil, err
	}
	force := p.settings.EnablePatchForce == "true" || annotated(object, patchForceAnnotation)
	options := metav1.PatchOptions{
		FieldManager: manager, Force: &force, FieldValidation: metav1.FieldValidationWarn,
	}
	if a.preview {
		options.DryRun = []string{metav1.DryRunAll}
	}
	live, err := client.Patch(ctx, object.GetName(), types.ApplyPatchType, body, options)
	if err == nil {
		return live, nil
	}
	if apierrors.IsConflict(err) {
		err = errors.Join(
			fmt.Errorf("Server-Side Apply field conflict detected. See %s for troubleshooting help.", conflictHelp), //nolint
			fmt.Errorf("The resource managed by field manager %q had an apply conflict: %w", manager, err))          //nolint
	}
	if a.create {
		return nil, notCreated(err)
	}
	return nil, fmt.Errorf("update of resource %s failed because the Kubernetes API server reported that it failed to "+
		"fully initialize or become live: %w", qualified(object), err)
}

// fieldManager is the name under which the object's fields are owned: of the annotation, else of the state, else new.
func fieldManager(object *unstructured.Unstructured, before *structpb.Struct) (string, error) {
	if name := object.GetAnnotations()[fieldManagerAnnotation]; name != "" {
		return name, nil
	}
	if name := managerOf(before); name != "" {
		return name, nil
	}
	return resource.NewUniqueName(nil, "pulumi-kubernetes-", 8, 0, nil)
}

// managerOf is the field manager that the state tells, or nothing.
func managerOf(state *structpb.Struct) string {
	return state.GetFields()[fieldManagerKey].GetStringValue()
}

// client is the API of one kind of object, in a namespace where the kind has one.
func (p *kubernetesProvider) client(kind kind, namespace string) dynamic.ResourceInterface {
	if !kind.namespaced {
		return p.cluster.client.Resource(kind.resource)
	}
	if namespace == "" {
		namespace = p.cluster.namespace
	}
	return p.cluster.client.Resource(kind.resource).Namespace(namespace)
}
