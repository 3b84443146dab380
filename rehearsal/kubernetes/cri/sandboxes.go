package cri

import (
	"context"
	"errors"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// RunPodSandbox creates a sandbox, which is ready at once.
func (r *Runtime) RunPodSandbox(_ context.Context, request *runtimeapi.RunPodSandboxRequest) (*runtimeapi.RunPodSandboxResponse, error) {
	sandbox := &Sandbox{
		ID:        newID(),
		Config:    stored[*runtimeapi.PodSandboxConfig]{request.GetConfig()},
		CreatedAt: now(),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !sandbox.onHostNetwork() {
		var err error
		if sandbox.IP, err = r.network.allocate(r.takenAddresses()); err != nil {
			return nil, err
		}
	}
	if err := r.sandboxRecords.save(sandbox.ID, sandbox); err != nil {
		return nil, err
	}
	r.sandboxes[sandbox.ID] = sandbox
	return &runtimeapi.RunPodSandboxResponse{PodSandboxId: sandbox.ID}, r.tasks.begin(sandbox.ID)
}

// StopPodSandbox kills what still runs in it; one that is gone is no error.
func (r *Runtime) StopPodSandbox(ctx context.Context, request *runtimeapi.StopPodSandboxRequest) (*runtimeapi.StopPodSandboxResponse, error) {
	id := request.GetPodSandboxId()
	var failed error
	for _, container := range r.containersOf(id) {
		failed = errors.Join(failed, r.stopContainer(ctx, container, 0))
	}
	if failed != nil {
		return nil, failed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	sandbox, found := r.sandboxes[id]
	if !found {
		return &runtimeapi.StopPodSandboxResponse{}, nil
	}
	sandbox.Stopped = true
	return &runtimeapi.StopPodSandboxResponse{}, errors.Join(r.sandboxRecords.save(id, sandbox), r.tasks.end(id))
}

// RemovePodSandbox stops and forgets it with its containers; one that is gone is no error.
func (r *Runtime) RemovePodSandbox(ctx context.Context, request *runtimeapi.RemovePodSandboxRequest) (*runtimeapi.RemovePodSandboxResponse, error) {
	id := request.GetPodSandboxId()
	if _, err := r.StopPodSandbox(ctx, &runtimeapi.StopPodSandboxRequest{PodSandboxId: id}); err != nil {
		return nil, err
	}
	for _, container := range r.containersOf(id) {
		if err := r.removeContainer(ctx, container); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sandboxes, id)
	return &runtimeapi.RemovePodSandboxResponse{}, r.sandboxRecords.delete(id)
}

// PodSandboxStatus fails with NotFound for an unknown one.
func (r *Runtime) PodSandboxStatus(_ context.Context, request *runtimeapi.PodSandboxStatusRequest) (*runtimeapi.PodSandboxStatusResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sandbox, found := r.sandboxes[request.GetPodSandboxId()]
	if !found {
		return nil, notFound("sandbox", request.GetPodSandboxId())
	}
	config := sandbox.Config.Message
	return &runtimeapi.PodSandboxStatusResponse{Status: &runtimeapi.PodSandboxStatus{
		Id:             sandbox.ID,
		Metadata:       config.GetMetadata(),
		State:          r.sandboxState(sandbox),
		CreatedAt:      sandbox.CreatedAt.UnixNano(),
		Network:        &runtimeapi.PodSandboxNetworkStatus{Ip: sandbox.IP},
		Linux:          &runtimeapi.LinuxPodSandboxStatus{Namespaces: &runtimeapi.Namespace{Options: config.GetLinux().GetSecurityContext().GetNamespaceOptions()}},
		Labels:         config.GetLabels(),
		Annotations:    config.GetAnnotations(),
		RuntimeHandler: "",
	}}, nil
}

// ListPodSandbox lists those that match the filter.
func (r *Runtime) ListPodSandbox(_ context.Context, request *runtimeapi.ListPodSandboxRequest) (*runtimeapi.ListPodSandboxResponse, error) {
	filter := request.GetFilter()
	response := &runtimeapi.ListPodSandboxResponse{}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, sandbox := range r.sandboxes {
		config, state := sandbox.Config.Message, r.sandboxState(sandbox)
		if !matchesID(filter.GetId(), sandbox.ID) || !hasLabels(config.GetLabels(), filter.GetLabelSelector()) ||
			filter.GetState() != nil && filter.GetState().GetState() != state {
			continue
		}
		response.Items = append(response.Items, &runtimeapi.PodSandbox{
			Id:          sandbox.ID,
			Metadata:    config.GetMetadata(),
			State:       state,
			CreatedAt:   sandbox.CreatedAt.UnixNano(),
			Labels:      config.GetLabels(),
			Annotations: config.GetAnnotations(),
		})
	}
	return response, nil
}

// sandboxState is ready until it was stopped or the machine was booted anew.
func (r *Runtime) sandboxState(sandbox *Sandbox) runtimeapi.PodSandboxState {
	if !sandbox.Stopped && r.tasks.see(sandbox.ID).exists {
		return runtimeapi.PodSandboxState_SANDBOX_READY
	}
	return runtimeapi.PodSandboxState_SANDBOX_NOTREADY
}

// takenAddresses are those of sandboxes that were not stopped.
func (r *Runtime) takenAddresses() map[string]bool {
	taken := map[string]bool{}
	for _, sandbox := range r.sandboxes {
		if !sandbox.Stopped {
			taken[sandbox.IP] = true
		}
	}
	return taken
}

// hasLabels tells whether labels contain all of wanted.
func hasLabels(labels, wanted map[string]string) bool {
	for key, value := range wanted {
		if labels[key] != value {
			return false
		}
	}
	return true
}

// matchesID tells whether an ID is the wanted one; any is if none is wanted. As in containerd a prefix is enough,
// which is how operators type IDs.
func matchesID(wanted, id string) bool { return len(wanted) <= len(id) && id[:len(wanted)] == wanted }
