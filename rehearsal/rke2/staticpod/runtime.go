package staticpod

import (
	"context"
	"fmt"

	"github.com/sirupsen/logrus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Runtime is the node's container runtime.
type Runtime struct {
	connection *grpc.ClientConn
	client     runtimeapi.RuntimeServiceClient
}

// Connect to the runtime at a socket. It does not wait for it.
func Connect(socket string) (*Runtime, error) {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &Runtime{connection, runtimeapi.NewRuntimeServiceClient(connection)}, nil
}

// Close the connection.
func (r *Runtime) Close() error { return r.connection.Close() }

// Ready asks whether the runtime answers.
func (r *Runtime) Ready(ctx context.Context) error {
	_, err := r.client.Version(ctx, &runtimeapi.VersionRequest{})
	return err
}

// Running tells whether a program's static pod with the given UID runs.
func (r *Runtime) Running(ctx context.Context, name, uid string) (bool, error) {
	sandboxes, err := r.sandboxes(ctx, name)
	if err != nil {
		return false, err
	}
	for _, sandbox := range sandboxes {
		if sandbox.GetMetadata().GetUid() != uid {
			continue
		}
		listed, err := r.client.ListContainers(ctx, &runtimeapi.ListContainersRequest{Filter: &runtimeapi.ContainerFilter{
			PodSandboxId: sandbox.GetId(), State: &runtimeapi.ContainerStateValue{State: runtimeapi.ContainerState_CONTAINER_RUNNING},
		}})
		if err != nil || len(listed.GetContainers()) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// Remove stops and removes all of a program's static pods. The kubelet cannot be relied upon for it: while the API
// server is down it does not know which pods are orphans, and two of one program would fight for its ports.
func (r *Runtime) Remove(ctx context.Context, name string) error {
	sandboxes, err := r.sandboxes(ctx, name)
	if err != nil {
		return err
	}
	for _, sandbox := range sandboxes {
		logrus.Infof("Removing pod %s", sandbox.GetMetadata().GetName())
		if err := r.remove(ctx, sandbox.GetId()); err != nil {
			return fmt.Errorf("failed to terminate %s pod: %w", name, err)
		}
	}
	return nil
}

func (r *Runtime) sandboxes(ctx context.Context, name string) ([]*runtimeapi.PodSandbox, error) {
	listed, err := r.client.ListPodSandbox(ctx, &runtimeapi.ListPodSandboxRequest{Filter: &runtimeapi.PodSandboxFilter{
		LabelSelector: map[string]string{"component": name, "tier": "control-plane", "io.kubernetes.pod.namespace": "kube-system"},
	}})
	if err != nil {
		return nil, fmt.Errorf("failed to list pods: %w", err)
	}
	return listed.GetItems(), nil
}

// remove ends a sandbox and all in it at once: the runtime gives no grace to the containers of a sandbox that is stopped,
// and RKE2 none to these. Etcd is made to be killed, and an API server with watches open would take all it is given.
func (r *Runtime) remove(ctx context.Context, sandbox string) error {
	if _, err := r.client.StopPodSandbox(ctx, &runtimeapi.StopPodSandboxRequest{PodSandboxId: sandbox}); err != nil {
		return err
	}
	_, err := r.client.RemovePodSandbox(ctx, &runtimeapi.RemovePodSandboxRequest{PodSandboxId: sandbox})
	return err
}
