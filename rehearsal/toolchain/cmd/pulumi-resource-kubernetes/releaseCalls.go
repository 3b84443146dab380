package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"rke2-upgrade/rehearsal/toolchain/internal/rpc"
)

// isRelease tells whether a call is about a Helm release.
func isRelease(urn string) bool { return string(resource.URN(urn).Type()) == releaseToken }

// checkRelease fills in name, namespace, timeout and the exact version that the chart turns out to have.
func (p *kubernetesProvider) checkRelease(request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	inputs, err := rpc.Decode(request.GetNews())
	if err != nil {
		return nil, err
	}
	// The SDK's mark for itself, which no state keeps.
	delete(inputs, "compat")
	if !inputs.HasValue("name") {
		name := request.GetOlds().GetFields()["name"].GetStringValue()
		if name == "" {
			prefix := resource.URN(request.GetUrn()).Name() + "-"
			if name, err = resource.NewUniqueName(request.GetRandomSeed(), prefix, 8, 0, nil); err != nil {
				return nil, err
			}
		}
		inputs["name"] = resource.NewProperty(name)
	}
	if !inputs.HasValue("namespace") {
		inputs["namespace"] = resource.NewProperty(p.cluster.namespace)
	}
	if skip := inputs["skipAwait"]; !inputs.HasValue("timeout") && (!skip.IsBool() || !skip.BoolValue()) {
		inputs["timeout"] = resource.NewProperty(float64(releaseTimeout))
	}
	response := &pulumirpc.CheckResponse{}
	if !inputs.ContainsUnknowns() {
		encoded, err := rpc.Encode(inputs)
		if err != nil {
			return nil, err
		}
		wanted, err := releaseOf(encoded)
		if err != nil {
			return nil, err
		}
		if loaded, err := p.load(wanted); err != nil {
			response.Failures = append(response.Failures, &pulumirpc.CheckFailure{
				Property: "chart", Reason: fmt.Sprintf("%v; check the chart name and repository configuration.", err),
			})
		} else {
			inputs["version"] = resource.NewProperty(loaded.Metadata.Version)
		}
	}
	response.Inputs, err = rpc.Encode(inputs)
	return response, err
}

// diffRelease compares inputs; another name or namespace is another release.
func diffRelease(request *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	before, err := rpc.Decode(request.GetOldInputs())
	if err != nil {
		return nil, err
	}
	after, err := rpc.Decode(request.GetNews())
	if err != nil {
		return nil, err
	}
	return rpc.Diff(before, after, func(path string) bool { return path == "name" || path == "namespace" }), nil
}

func (p *kubernetesProvider) createRelease(
	ctx context.Context, request *pulumirpc.CreateRequest,
) (*pulumirpc.CreateResponse, error) {
	inputs, err := rpc.Decode(request.GetProperties())
	if err != nil {
		return nil, err
	}
	if request.GetPreview() {
		state, err := releaseState(inputs, nil)
		return &pulumirpc.CreateResponse{Properties: state}, err
	}
	if p.cluster.unreachable != "" {
		return nil, fmt.Errorf("can't create Helm Release with unreachable cluster: %s", p.cluster.unreachable)
	}
	wanted, err := releaseOf(request.GetProperties())
	if err != nil {
		return nil, err
	}
	made, failure := p.install(wanted)
	if failure != nil && !isFailedRelease(failure) {
		return nil, failure
	}
	state, err := releaseState(inputs, made)
	if err != nil {
		return nil, err
	}
	if failure != nil {
		p.warnRelease(ctx, request.GetUrn(), wanted, failure)
		return nil, unavailable(wanted.id(), "was created, but failed to initialize completely", failure, state)
	}
	return &pulumirpc.CreateResponse{Id: wanted.id(), Properties: state}, nil
}

func (p *kubernetesProvider) updateRelease(request *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	inputs, err := rpc.Decode(request.GetNews())
	if err != nil {
		return nil, err
	}
	if request.GetPreview() {
		state, err := releaseState(inputs, nil)
		return &pulumirpc.UpdateResponse{Properties: state}, err
	}
	if p.cluster.unreachable != "" {
		return nil, fmt.Errorf("can't update Helm Release with unreachable cluster: %s", p.cluster.unreachable)
	}
	wanted, err := releaseOf(request.GetNews())
	if err != nil {
		return nil, err
	}
	made, failure := p.upgrade(wanted)
	if failure != nil && !isFailedRelease(failure) {
		return nil, failure
	}
	state, err := releaseState(inputs, made)
	if err != nil {
		return nil, err
	}
	if failure != nil {
		return nil, unavailable(wanted.id(), "failed to initialize completely", failure, state)
	}
	return &pulumirpc.UpdateResponse{Properties: state}, nil
}

// readRelease looks at the live release; without a state it is an import by `namespace/name`.
func (p *kubernetesProvider) readRelease(request *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	known, err := releaseOf(request.GetProperties())
	if err != nil {
		return nil, err
	}
	isImport := known.Name == ""
	if isImport {
		namespace, name, found := strings.Cut(request.GetId(), "/")
		if !found {
			namespace, name = p.cluster.namespace, request.GetId()
		}
		known.Namespace, known.Name = namespace, name
	}
	live, err := p.lookup(known)
	if err != nil || live == nil {
		return &pulumirpc.ReadResponse{}, err
	}
	inputs := importedRelease(live)
	if !isImport {
		if inputs, err = rpc.Decode(request.GetInputs()); err != nil {
			return nil, err
		}
		// What somebody else moved shows.
		inputs["version"] = resource.NewProperty(live.Chart.Metadata.Version)
	}
	encoded, err := rpc.Encode(inputs)
	if err != nil {
		return nil, err
	}
	state, err := releaseState(inputs, live)
	return &pulumirpc.ReadResponse{Id: known.id(), Inputs: encoded, Properties: state}, err
}
