package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"rke2-upgrade/rehearsal/toolchain/internal/rpc"
)

// contextOfPlugin ends with the engine's Cancel.
var contextOfPlugin, cancelPlugin = context.WithCancel(context.Background())

// kubernetesProvider answers the engine's calls for Kubernetes objects.
type kubernetesProvider struct {
	rpc.Provider
	settings settings
	cluster  *cluster
}

func newKubernetesProvider(base rpc.Provider) *kubernetesProvider {
	return &kubernetesProvider{Provider: base, cluster: &cluster{unreachable: "the provider is not configured"}}
}

// Configure connects to the cluster. One that cannot be reached is an error only for what needs it.
func (p *kubernetesProvider) Configure(
	ctx context.Context, request *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	if err := rpc.Into(request.GetArgs(), &p.settings); err != nil {
		return nil, err
	}
	if p.settings.EnableServerSideApply == "false" {
		return nil, errors.New("the rehearsal's stand-in for the Kubernetes plugin knows server-side apply only")
	}
	p.cluster = connect(p.settings)
	return p.Provider.Configure(ctx, request)
}

// DiffConfig replaces the provider, and with it every object, when it points at another cluster.
func (p *kubernetesProvider) DiffConfig(
	_ context.Context, request *pulumirpc.DiffRequest,
) (*pulumirpc.DiffResponse, error) {
	var before, after settings
	if err := errors.Join(rpc.Into(request.GetOldInputs(), &before), rpc.Into(request.GetNews(), &after)); err != nil {
		return nil, err
	}
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}
	if before != after {
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	if !sameCluster(before, after) {
		response.Replaces = []string{"kubeconfig"}
	}
	return response, nil
}

// Check names what has no name and puts it into a namespace.
func (p *kubernetesProvider) Check(
	_ context.Context, request *pulumirpc.CheckRequest,
) (*pulumirpc.CheckResponse, error) {
	if isRelease(request.GetUrn()) {
		return p.checkRelease(request)
	}
	kind, err := kindOf(request.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := rpc.Decode(request.GetNews())
	if err != nil {
		return nil, err
	}
	before, err := objectOf(request.GetOlds())
	if err != nil {
		return nil, err
	}
	inputs["apiVersion"] = resource.NewProperty(kind.apiVersion)
	inputs["kind"] = resource.NewProperty(kind.name)
	metadata := inputs["metadata"]
	if metadata.IsNull() {
		metadata = resource.NewProperty(resource.PropertyMap{})
	}
	// Metadata that are unknown or secret as a whole stay as they are.
	if metadata.IsObject() {
		if err := complete(metadata.ObjectValue(), before, request, kind, p.cluster.namespace); err != nil {
			return nil, err
		}
	}
	inputs["metadata"] = metadata
	checked, err := rpc.Encode(inputs)
	return &pulumirpc.CheckResponse{Inputs: checked}, err
}

// complete fills in name and namespace. An invented name is kept over updates and marked as such.
func complete(
	metadata resource.PropertyMap, before *unstructured.Unstructured, request *pulumirpc.CheckRequest,
	kind kind, namespace string,
) error {
	if !metadata.HasValue("name") {
		name := before.GetName()
		if !annotated(before, autonamedAnnotation) {
			prefix := resource.URN(request.GetUrn()).Name() + "-"
			invented, err := resource.NewUniqueName(request.GetRandomSeed(), prefix, 8, 0, nil)
			if err != nil {
				return err
			}
			name = invented
		}
		metadata["name"] = resource.NewProperty(name)
		annotations := resource.PropertyMap{}
		if given := metadata["annotations"]; given.IsObject() {
			annotations = given.ObjectValue()
		}
		annotations[autonamedAnnotation] = resource.NewProperty("true")
		metadata["annotations"] = resource.NewProperty(annotations)
	}
	if kind.namespaced && !metadata.HasValue("namespace") && namespace != "" {
		metadata["namespace"] = resource.NewProperty(namespace)
	}
	return nil
}

// Diff compares inputs. Where something immutable changed the object is replaced, and since a fixed name cannot be
// had twice, deleted first.
func (p *kubernetesProvider) Diff(
	ctx context.Context, request *pulumirpc.DiffRequest,
) (*pulumirpc.DiffResponse, error) {
	if isRelease(request.GetUrn()) {
		return diffRelease(request)
	}
	kind, err := kindOf(request.GetUrn())
	if err != nil {
		return nil, err
	}
	oldInputs, err := rpc.Decode(request.GetOldInputs())
	if err != nil {
		return nil, err
	}
	newInputs, err := rpc.Decode(request.GetNews())
	if err != nil {
		return nil, err
	}
	response := rpc.Diff(oldInputs, newInputs, func(path string) bool {
		return kind.replaces(path, p.settings.EnableConfigMapMutable == "true")
	})
	before, err := objectOf(request.GetOldInputs())
	if err != nil {
		return nil, err
	}
	after, err := objectOf(request.GetNews())
	if err != nil {
		return nil, err
	}
	if kind.name == "Job" && annotated(after, replaceUnreadyAnnotation) && p.cluster.unreachable == "" {
		// A Job that cannot be read is left to the update.
		live, err := p.client(kind, after.GetNamespace()).Get(ctx, after.GetName(), metav1.GetOptions{})
		if err == nil && !jobProgress(live).complete {
			response.Changes = pulumirpc.DiffResponse_DIFF_SOME
			response.Replaces = append(response.Replaces, fmt.Sprintf(`.metadata.annotations["%s"]`, replaceUnreadyAnnotation))
		}
	}
	response.DeleteBeforeReplace = len(response.Replaces) > 0 && !annotated(after, autonamedAnnotation) &&
		qualified(before) == qualified(after)
	return response, nil
}

// Create applies a new object and waits for it.
func (p *kubernetesProvider) Create(
	ctx context.Context, request *pulumirpc.CreateRequest,
) (*pulumirpc.CreateResponse, error) {
	if isRelease(request.GetUrn()) {
		return p.createRelease(ctx, request)
	}
	result, err := p.apply(ctx, application{
		urn: request.GetUrn(), inputs: request.GetProperties(), timeout: request.GetTimeout(),
		preview: request.GetPreview(), create: true,
	})
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CreateResponse{Id: result.id, Properties: result.state}, nil
}

// Update applies the changed object and waits for it.
func (p *kubernetesProvider) Update(
	ctx context.Context, request *pulumirpc.UpdateRequest,
) (*pulumirpc.UpdateResponse, error) {
	if isRelease(request.GetUrn()) {
		return p.updateRelease(request)
	}
	result, err := p.apply(ctx, application{
		urn: request.GetUrn(), inputs: request.GetNews(), before: request.GetOlds(), timeout: request.GetTimeout(),
		preview: request.GetPreview(),
	})
	if err != nil {
		return nil, err
	}
	return &pulumirpc.UpdateResponse{Properties: result.state}, nil
}

// Read fetches the live object; one that is gone is reported as gone.
func (p *kubernetesProvider) Read(
	ctx context.Context, request *pulumirpc.ReadRequest,
) (*pulumirpc.ReadResponse, error) {
	if p.cluster.unreachable != "" {
		p.warnUnreachable(ctx, request.GetUrn())
		if p.settings.DeleteUnreachable == "true" {
			return &pulumirpc.ReadResponse{}, nil
		}
		return nil, errors.New("failed to read resource state due to unreachable cluster. If the cluster was deleted, you " +
			"can remove this resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE " +
			"environment variable set to \"true\"")
	}
	if isRelease(request.GetUrn()) {
		return p.readRelease(request)
	}
	kind, err := kindOf(request.GetUrn())
	if err != nil {
		return nil, err
	}
	namespace, name, found := strings.Cut(request.GetId(), "/")
	if !found {
		namespace, name = "", request.GetId()
	}
	live, err := p.client(kind, namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	inputs, state, err := readBack(live, request)
	if err != nil {
		return nil, err
	}
	if progress := jobProgress(live); kind.name == "Job" && !progress.complete && !annotated(live, skipAwaitAnnotation) {
		cause := notInitialized(live, progress.failures())
		return nil, partial(request.GetId(), cause, cause, state, inputs)
	}
	return &pulumirpc.ReadResponse{Id: request.GetId(), Properties: state, Inputs: inputs}, nil
}

// readBack makes inputs and state of a live object.
func readBack(live *unstructured.Unstructured, request *pulumirpc.ReadRequest) (inputs, state *structpb.Struct, err error) {
	given, err := objectOf(request.GetInputs())
	if err != nil {
		return nil, nil, err
	}
	marked, err := rpc.Decode(request.GetInputs())
	if err != nil {
		return nil, nil, err
	}
	plain := imported(live)
	if len(given.Object) > 0 {
		plain, _ = prune(live.Object, given.Object).(map[string]any)
	}
	properties := resource.NewPropertyMapFromMap(plain)
	markSecrets(properties, marked)
	if inputs, err = rpc.Encode(properties); err != nil {
		return nil, nil, err
	}
	state, err = stateOf(live, marked, managerOf(request.GetProperties()))
	return inputs, state, err
}

// Delete deletes the object and what depends on it, and waits until it is gone.
func (p *kubernetesProvider) Delete(
	ctx context.Context, request *pulumirpc.DeleteRequest,
) (*emptypb.Empty, error) {
	if p.cluster.unreachable != "" {
		p.warnUnreachable(ctx, request.GetUrn())
		if p.settings.DeleteUnreachable == "true" {
			return &emptypb.Empty{}, nil
		}
		return nil, errors.New("configured Kubernetes cluster is unreachable. If the cluster was deleted, you can remove " +
			"this resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment " +
			"variable set to \"true\"")
	}
	if isRelease(request.GetUrn()) {
		inputs, err := releaseOf(request.GetProperties())
		if err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, p.uninstall(inputs)
	}
	kind, err := kindOf(request.GetUrn())
	if err != nil {
		return nil, err
	}
	object, err := objectOf(request.GetProperties())
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, p.delete(ctx, kind, object, request.GetTimeout())
}

// Cancel ends every wait.
func (p *kubernetesProvider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	cancelPlugin()
	return &emptypb.Empty{}, nil
}

func (p *kubernetesProvider) warnUnreachable(ctx context.Context, urn string) {
	p.warn(ctx, urn, "configured Kubernetes cluster is unreachable: "+p.cluster.unreachable)
}

func (p *kubernetesProvider) warn(ctx context.Context, urn, message string) {
	if p.Host != nil {
		_ = p.Host.Log(ctx, diag.Warning, resource.URN(urn), message)
	}
}

// partial tells the engine that the object exists but is not what it should be, so that it is kept in the state.
func partial(id string, cause, reason error, state, inputs *structpb.Struct) error {
	detail := &pulumirpc.ErrorResourceInitFailed{
		Id: id, Properties: state, Inputs: inputs, Reasons: []string{reason.Error()},
	}
	var waiting *awaitError
	if errors.As(cause, &waiting) {
		detail.Reasons = append(detail.Reasons, waiting.details...)
	}
	return rpcerror.WithDetails(rpcerror.New(codes.Unknown, cause.Error()), detail)
}
