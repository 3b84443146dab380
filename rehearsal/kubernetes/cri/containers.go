package cri

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// searchPath of a real container's programs: that of the rehearsal's images is first found by the runtime itself.
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// CreateContainer decides whether the container will be real or simulated; it fails as a real runtime does for a
// command that its image does not have.
func (r *Runtime) CreateContainer(_ context.Context, request *runtimeapi.CreateContainerRequest) (*runtimeapi.CreateContainerResponse, error) {
	config := request.GetConfig()
	r.mu.Lock()
	defer r.mu.Unlock()
	sandbox, found := r.sandboxes[request.GetPodSandboxId()]
	if !found {
		return nil, notFound("sandbox", request.GetPodSandboxId())
	}
	behaviour, err := behaviourOf(sandbox.Config.Message.GetAnnotations(), config.GetMetadata().GetName())
	if err != nil {
		return nil, err
	}
	container := &Container{
		ID:        newID(),
		SandboxID: sandbox.ID,
		Config:    stored[*runtimeapi.ContainerConfig]{config},
		CreatedAt: now(),
		Behaviour: behaviour,
	}
	image, found := r.images.find(config.GetImage().GetImage())
	if !found {
		return nil, notFound("image", config.GetImage().GetImage())
	}
	container.Tag, container.ImageID = image.Tag, image.ID
	if command := config.GetCommand(); len(command) > 0 {
		if container.Program, err = r.images.program(image.Tag, command[0]); err != nil {
			return nil, fmt.Errorf("failed to create containerd task: %w", err)
		}
	}
	if container.Program == "" {
		container.Behaviour = behaviour.known(append(slices.Clone(config.GetCommand()), config.GetArgs()...))
	}
	if directory := sandbox.Config.Message.GetLogDirectory(); directory != "" && config.GetLogPath() != "" {
		container.LogPath = filepath.Join(directory, config.GetLogPath())
	}
	if err := r.containerRecords.save(container.ID, container); err != nil {
		return nil, err
	}
	r.containers[container.ID] = container
	return &runtimeapi.CreateContainerResponse{ContainerId: container.ID}, nil
}

// StartContainer starts the real program, or the simulated container's clock.
func (r *Runtime) StartContainer(ctx context.Context, request *runtimeapi.StartContainerRequest) (*runtimeapi.StartContainerResponse, error) {
	container, err := r.container(request.GetContainerId())
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	container.StartedAt, container.starting = now(), true
	err = r.containerRecords.save(container.ID, container)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		container.starting = false
		r.mu.Unlock()
	}()
	if err != nil {
		return nil, err
	}
	if container.Program == "" {
		return &runtimeapi.StartContainerResponse{}, errors.Join(r.tasks.begin(container.ID), container.logStart())
	}
	config := container.Config.Message
	environment := []string{searchPath}
	for _, variable := range config.GetEnvs() {
		environment = append(environment, fmt.Sprintf("%s=%s", variable.GetKey(), variable.GetValue()))
	}
	err = r.tasks.start(ctx, container.ID, taskSpec{
		Program: container.Program,
		Args:    append(append([]string{}, config.GetCommand()...), config.GetArgs()...),
		Env:     environment,
		LogPath: container.LogPath,
	})
	return &runtimeapi.StartContainerResponse{}, err
}

// logStart makes a simulated container's log and writes there what its annotation says.
func (c *Container) logStart() error {
	if c.LogPath == "" {
		return nil
	}
	log, err := openLog(c.LogPath)
	if err != nil {
		return err
	}
	stdout := log.stream("stdout")
	_, err = stdout.Write([]byte(c.Behaviour.Logs))
	stdout.flush()
	return errors.Join(err, log.Close())
}

// StopContainer returns once the container has ended; the timeout, in seconds, is its grace.
func (r *Runtime) StopContainer(ctx context.Context, request *runtimeapi.StopContainerRequest) (*runtimeapi.StopContainerResponse, error) {
	container, err := r.container(request.GetContainerId())
	if err != nil {
		return nil, err
	}
	return &runtimeapi.StopContainerResponse{}, r.stopContainer(ctx, container, time.Duration(request.GetTimeout())*time.Second)
}

func (r *Runtime) stopContainer(ctx context.Context, container *Container, grace time.Duration) error {
	r.mu.Lock()
	state, _ := r.observe(container)
	if state != runtimeapi.ContainerState_CONTAINER_RUNNING {
		r.mu.Unlock()
		return nil
	}
	var err error
	if container.Program == "" {
		container.stop(now(), grace, r.settings().UseWholeGrace)
		err = r.containerRecords.save(container.ID, container)
	}
	r.mu.Unlock()
	if err != nil {
		return err
	}
	if container.Program != "" {
		return r.tasks.stop(ctx, container.ID, grace)
	}
	return poll(ctx, grace+time.Second, func() (bool, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		state, _ := r.observe(container)
		return state == runtimeapi.ContainerState_CONTAINER_EXITED, nil
	})
}

// RemoveContainer kills and forgets it; one that is gone is no error.
func (r *Runtime) RemoveContainer(ctx context.Context, request *runtimeapi.RemoveContainerRequest) (*runtimeapi.RemoveContainerResponse, error) {
	container, err := r.container(request.GetContainerId())
	if err != nil {
		return &runtimeapi.RemoveContainerResponse{}, nil
	}
	return &runtimeapi.RemoveContainerResponse{}, r.removeContainer(ctx, container)
}

func (r *Runtime) removeContainer(ctx context.Context, container *Container) error {
	if err := r.stopContainer(ctx, container, 0); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.containers, container.ID)
	return errors.Join(r.containerRecords.delete(container.ID), r.tasks.end(container.ID))
}

// ListContainers lists those that match the filter.
func (r *Runtime) ListContainers(_ context.Context, request *runtimeapi.ListContainersRequest) (*runtimeapi.ListContainersResponse, error) {
	filter := request.GetFilter()
	response := &runtimeapi.ListContainersResponse{}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, container := range r.containers {
		config := container.Config.Message
		if !matchesID(filter.GetId(), container.ID) || !matchesID(filter.GetPodSandboxId(), container.SandboxID) ||
			!hasLabels(config.GetLabels(), filter.GetLabelSelector()) {
			continue
		}
		state, _ := r.observe(container)
		if filter.GetState() != nil && filter.GetState().GetState() != state {
			continue
		}
		response.Containers = append(response.Containers, &runtimeapi.Container{
			Id:           container.ID,
			PodSandboxId: container.SandboxID,
			Metadata:     config.GetMetadata(),
			Image:        config.GetImage(),
			ImageRef:     container.ImageID,
			ImageId:      container.ImageID,
			State:        state,
			CreatedAt:    container.CreatedAt.UnixNano(),
			Labels:       config.GetLabels(),
			Annotations:  config.GetAnnotations(),
		})
	}
	return response, nil
}

// ContainerStatus fails with NotFound for an unknown one.
func (r *Runtime) ContainerStatus(_ context.Context, request *runtimeapi.ContainerStatusRequest) (*runtimeapi.ContainerStatusResponse, error) {
	container, err := r.container(request.GetContainerId())
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	state, exit := r.observe(container)
	config := container.Config.Message
	response := &runtimeapi.ContainerStatus{
		Id:          container.ID,
		Metadata:    config.GetMetadata(),
		State:       state,
		CreatedAt:   container.CreatedAt.UnixNano(),
		Image:       &runtimeapi.ImageSpec{Image: container.Tag},
		ImageRef:    container.ImageID,
		ImageId:     container.ImageID,
		Labels:      config.GetLabels(),
		Annotations: config.GetAnnotations(),
		Mounts:      config.GetMounts(),
		LogPath:     container.LogPath,
	}
	if !container.StartedAt.IsZero() {
		response.StartedAt = container.StartedAt.UnixNano()
	}
	if exit != nil {
		response.FinishedAt, response.ExitCode = exit.At.UnixNano(), exit.Code
		response.Reason, response.Message = exit.Reason, exit.Message
	}
	return &runtimeapi.ContainerStatusResponse{Status: response}, nil
}

// UpdateContainerResources accepts all: nothing is limited.
func (r *Runtime) UpdateContainerResources(context.Context, *runtimeapi.UpdateContainerResourcesRequest) (*runtimeapi.UpdateContainerResourcesResponse, error) {
	return &runtimeapi.UpdateContainerResourcesResponse{}, nil
}

// ReopenContainerLog goes on in a new file after the kubelet rotated the old one away.
func (r *Runtime) ReopenContainerLog(_ context.Context, request *runtimeapi.ReopenContainerLogRequest) (*runtimeapi.ReopenContainerLogResponse, error) {
	container, err := r.container(request.GetContainerId())
	if err != nil {
		return nil, err
	}
	if container.Program != "" {
		return &runtimeapi.ReopenContainerLogResponse{}, r.tasks.reopenLog(container.ID)
	}
	log, err := openLog(container.LogPath)
	if err != nil {
		return nil, err
	}
	return &runtimeapi.ReopenContainerLogResponse{}, log.Close()
}

// observe is the container's state now, and keeps its exit when it first sees it. Called with mu held.
func (r *Runtime) observe(container *Container) (runtimeapi.ContainerState, *Exit) {
	state, exit := container.stateAt(now(), r.tasks.see(container.ID))
	if exit != nil && container.Exit == nil {
		container.Exit = exit
		// If it cannot be kept now it will be seen again: no caller could do better.
		_ = r.containerRecords.save(container.ID, container)
	}
	return state, exit
}

// container finds one by its ID.
func (r *Runtime) container(id string) (*Container, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if container, found := r.containers[id]; found {
		return container, nil
	}
	return nil, notFound("container", id)
}

// containersOf a sandbox.
func (r *Runtime) containersOf(sandbox string) []*Container {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*Container
	for _, container := range r.containers {
		if container.SandboxID == sandbox {
			found = append(found, container)
		}
	}
	return found
}
