// Package cri stands in for containerd: a CRI server (runtime.v1) for the kubelet that has neither images nor
// namespaces. Containers of images that the rehearsal holds as host programs (etcd, the control plane, a small web
// server) run as real processes on the host; all others are simulated as their pod's annotations say. Everything is
// kept on disk, so that it can be killed at any moment and its successor takes over what runs.
package cri

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"rehearsal/kubernetes/node"
)

// runtimeVersion is the containerd of RKE2 v1.35 and v1.36 that nodes report (containerd://…).
const runtimeVersion = "2.1.5-k3s1"

// Options of a Runtime.
type Options struct {
	// Root is the folder of what outlives a reboot: records of sandboxes, containers and images.
	Root string
	// State is the folder of what does not: tasks.
	State string
	// Address is the path of the socket that it serves; shims carry it in their command line.
	Address string
	// Images is the folder that stands for the registry.
	Images string
}

// Runtime is the runtime service.
type Runtime struct {
	runtimeapi.UnimplementedRuntimeServiceServer
	images   *Images
	tasks    tasks
	network  *network
	settings func() node.Settings

	mu               sync.Mutex // guards what follows, and the records' content
	sandboxes        map[string]*Sandbox
	sandboxRecords   store[*Sandbox]
	containers       map[string]*Container
	containerRecords store[*Container]
}

// New takes over what an earlier runtime left in the same folders.
func New(options Options) (*Runtime, *Images, error) {
	var failed error
	check := func(err error) {
		failed = errors.Join(failed, err)
	}
	r := &Runtime{settings: node.Load}
	var err error
	r.images, err = newImages(options.Images, options.Root)
	check(err)
	r.tasks, err = newTasks(options.State, options.Address)
	check(err)
	r.sandboxRecords, err = newStore[*Sandbox](filepath.Join(options.Root, "sandboxes"))
	check(err)
	r.containerRecords, err = newStore[*Container](filepath.Join(options.Root, "containers"))
	check(err)
	r.sandboxes, err = r.sandboxRecords.load()
	check(err)
	r.containers, err = r.containerRecords.load()
	check(err)
	r.network, err = newNetwork(options.Root)
	check(err)
	return r, r.images, failed
}

// Version of the runtime.
func (r *Runtime) Version(context.Context, *runtimeapi.VersionRequest) (*runtimeapi.VersionResponse, error) {
	return &runtimeapi.VersionResponse{
		Version: "0.1.0", RuntimeName: "containerd", RuntimeVersion: runtimeVersion, RuntimeApiVersion: "v1",
	}, nil
}

// Status is always ready.
func (r *Runtime) Status(context.Context, *runtimeapi.StatusRequest) (*runtimeapi.StatusResponse, error) {
	return &runtimeapi.StatusResponse{Status: &runtimeapi.RuntimeStatus{Conditions: []*runtimeapi.RuntimeCondition{
		{Type: runtimeapi.RuntimeReady, Status: true},
		{Type: runtimeapi.NetworkReady, Status: true},
	}}}, nil
}

// RuntimeConfig tells the kubelet which cgroup driver to use.
func (r *Runtime) RuntimeConfig(context.Context, *runtimeapi.RuntimeConfigRequest) (*runtimeapi.RuntimeConfigResponse, error) {
	return &runtimeapi.RuntimeConfigResponse{Linux: &runtimeapi.LinuxRuntimeConfiguration{CgroupDriver: runtimeapi.CgroupDriver_SYSTEMD}}, nil
}

// UpdateRuntimeConfig takes the node's range of pod addresses.
func (r *Runtime) UpdateRuntimeConfig(_ context.Context, request *runtimeapi.UpdateRuntimeConfigRequest) (*runtimeapi.UpdateRuntimeConfigResponse, error) {
	if cidr := request.GetRuntimeConfig().GetNetworkConfig().GetPodCidr(); cidr != "" {
		if err := r.network.setRange(cidr); err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
	}
	return &runtimeapi.UpdateRuntimeConfigResponse{}, nil
}

// newID is a containerd-like ID: 64 hexadecimal digits.
func newID() string {
	var id [32]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// now is the time that records keep: to the nanosecond, without the monotonic clock, which no successor shares.
func now() time.Time { return time.Now().Round(0) }

func notFound(kind, id string) error {
	return status.Errorf(codes.NotFound, "an error occurred when try to find %s %q: not found", kind, id)
}
