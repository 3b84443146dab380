package cri

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// simulatedMemoryBytes is what a simulated container claims to use.
const simulatedMemoryBytes = 16 << 20

// ContainerStats of one container.
func (r *Runtime) ContainerStats(_ context.Context, request *runtimeapi.ContainerStatsRequest) (*runtimeapi.ContainerStatsResponse, error) {
	container, err := r.container(request.GetContainerId())
	if err != nil {
		return nil, err
	}
	return &runtimeapi.ContainerStatsResponse{Stats: r.statsOf(container)}, nil
}

// ListContainerStats of all running containers that match the filter.
func (r *Runtime) ListContainerStats(ctx context.Context, request *runtimeapi.ListContainerStatsRequest) (*runtimeapi.ListContainerStatsResponse, error) {
	filter := request.GetFilter()
	running, err := r.ListContainers(ctx, &runtimeapi.ListContainersRequest{Filter: &runtimeapi.ContainerFilter{
		Id:            filter.GetId(),
		PodSandboxId:  filter.GetPodSandboxId(),
		LabelSelector: filter.GetLabelSelector(),
		State:         &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_RUNNING},
	}})
	if err != nil {
		return nil, err
	}
	response := &runtimeapi.ListContainerStatsResponse{}
	for _, item := range running.GetContainers() {
		if container, err := r.container(item.GetId()); err == nil {
			response.Stats = append(response.Stats, r.statsOf(container))
		}
	}
	return response, nil
}

// statsOf a container: the true memory and processor time of a real one, next to nothing for a simulated one.
func (r *Runtime) statsOf(container *Container) *runtimeapi.ContainerStats {
	config := container.Config.Message
	timestamp := time.Now().UnixNano()
	memory, nanoseconds := uint64(simulatedMemoryBytes), uint64(0)
	if container.Program != "" {
		if process, err := r.tasks.process(container.ID); err == nil {
			memory, nanoseconds = usageOf(process.PID)
		}
	}
	return &runtimeapi.ContainerStats{
		Attributes: &runtimeapi.ContainerAttributes{
			Id: container.ID, Metadata: config.GetMetadata(), Labels: config.GetLabels(), Annotations: config.GetAnnotations(),
		},
		Cpu: &runtimeapi.CpuUsage{
			Timestamp: timestamp, UsageCoreNanoSeconds: &runtimeapi.UInt64Value{Value: nanoseconds},
		},
		Memory: &runtimeapi.MemoryUsage{
			Timestamp: timestamp, WorkingSetBytes: &runtimeapi.UInt64Value{Value: memory},
		},
		WritableLayer: &runtimeapi.FilesystemUsage{
			Timestamp:  timestamp,
			FsId:       &runtimeapi.FilesystemIdentifier{Mountpoint: "/"},
			UsedBytes:  &runtimeapi.UInt64Value{},
			InodesUsed: &runtimeapi.UInt64Value{},
		},
	}
}

// usageOf reads a process' resident memory in bytes and its processor time in nanoseconds; 0 if it is gone.
func usageOf(pid int) (memory, nanoseconds uint64) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	const user, system, resident, tickNanoseconds = 11, 12, 21, 10_000_000 // USER_HZ is 100
	if len(fields) <= resident {
		return 0, 0
	}
	number := func(index int) uint64 {
		value, _ := strconv.ParseUint(fields[index], 10, 64)
		return value
	}
	return number(resident) * uint64(os.Getpagesize()), (number(user) + number(system)) * tickNanoseconds
}
