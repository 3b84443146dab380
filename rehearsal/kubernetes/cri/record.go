package cri

import (
	"encoding/json"
	"time"

	"google.golang.org/protobuf/proto"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Sandbox is what is kept of a pod sandbox.
type Sandbox struct {
	ID        string
	Config    stored[*runtimeapi.PodSandboxConfig]
	CreatedAt time.Time
	// IP of the pod; empty on the host's network, where the kubelet puts the node's own.
	IP string
	// Stopped by StopPodSandbox: never ready again.
	Stopped bool
}

// Container is what is kept of a container. Its state is not kept but derived (see stateAt), so that a runtime that
// was killed at any moment finds the truth when it comes back.
type Container struct {
	ID        string
	SandboxID string
	Config    stored[*runtimeapi.ContainerConfig]
	// Tag of its image, its full name, and the image's ID.
	Tag       string
	ImageID   string
	LogPath   string
	CreatedAt time.Time
	// StartedAt is zero until StartContainer.
	StartedAt time.Time
	// starting is set while StartContainer is at work: its task is not there yet, and it counts as created. It is not
	// kept: of a runtime that ended in the middle, the task alone tells.
	starting bool
	// Program is the absolute path of the host program that this container runs; empty if it is simulated.
	Program string
	// Behaviour of a simulated container.
	Behaviour Behaviour
	// StopAt is when a simulated container that was told to stop will have done so, and StopCode its exit code then.
	StopAt   time.Time
	StopCode int32
	// Exit is kept once it was seen.
	Exit *Exit
}

// Exit is how a container ended.
type Exit struct {
	At   time.Time
	Code int32
	// Reason and Message are those that containerd gives: Completed, Error, Unknown, StartError.
	Reason  string
	Message string
}

// onHostNetwork tells whether the pod shares the node's network.
func (s *Sandbox) onHostNetwork() bool {
	return s.Config.Message.GetLinux().GetSecurityContext().GetNamespaceOptions().GetNetwork() == runtimeapi.NamespaceMode_NODE
}

// stored keeps a protobuf message in encoding/json, in its wire format: the next runtime may be of another Kubernetes
// release, whose API has other fields, or the same field as bytes that was a string (KeyValue.value in v1.36).
type stored[M proto.Message] struct{ Message M }

// MarshalJSON implements json.Marshaler.
func (s stored[M]) MarshalJSON() ([]byte, error) {
	wire, err := proto.Marshal(s.Message)
	if err != nil {
		return nil, err
	}
	return json.Marshal(wire)
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *stored[M]) UnmarshalJSON(data []byte) error {
	var wire []byte
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	var none M
	s.Message = none.ProtoReflect().New().Interface().(M)
	return proto.Unmarshal(wire, s.Message)
}
