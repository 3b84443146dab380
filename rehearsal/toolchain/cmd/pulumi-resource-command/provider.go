package main

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"rke2-upgrade/rehearsal/toolchain/internal/rpc"
)

// commandProvider answers the engine's calls for the resources that run a command.
type commandProvider struct {
	rpc.Provider
	cancels cancellations
}

// runnerOf makes the empty arguments of a resource type, to be filled from its inputs.
func runnerOf(token string) (runner, error) {
	switch token {
	case "command:remote:Command":
		return &remoteCommand{}, nil
	case "command:local:Command":
		return &localCommand{}, nil
	}
	return nil, status.Errorf(codes.Unimplemented,
		"the rehearsal's stand-in for the command plugin has no %s, only command:remote:Command and command:local:Command",
		token)
}

// Check fills in defaults and refuses inputs that are incomplete.
func (p *commandProvider) Check(
	_ context.Context, request *pulumirpc.CheckRequest,
) (*pulumirpc.CheckResponse, error) {
	command, err := runnerOf(typeOf(request))
	if err != nil {
		return nil, err
	}
	inputs, err := rpc.Decode(request.GetNews())
	if err != nil {
		return nil, err
	}
	var failures []*pulumirpc.CheckFailure
	if !inputs.ContainsUnknowns() {
		if err := rpc.Into(request.GetNews(), command); err != nil {
			failures = append(failures, &pulumirpc.CheckFailure{Reason: err.Error()})
		}
		failures = append(failures, command.check()...)
	}
	if connection, found := inputs["connection"]; found {
		inputs["connection"] = resource.MakeSecret(withConnectionDefaults(connection))
	}
	encoded, err := rpc.Encode(inputs)
	return &pulumirpc.CheckResponse{Inputs: encoded, Failures: failures}, err
}

// Diff asks for an update on any change at all, and for a replacement when a trigger changed.
func (p *commandProvider) Diff(
	_ context.Context, request *pulumirpc.DiffRequest,
) (*pulumirpc.DiffResponse, error) {
	oldInputs, err := rpc.Decode(request.GetOldInputs())
	if err != nil {
		return nil, err
	}
	newInputs, err := rpc.Decode(request.GetNews())
	if err != nil {
		return nil, err
	}
	return rpc.Diff(oldInputs, newInputs, func(path string) bool { return rpc.Below(path, "triggers") }), nil
}

// Create runs the create command.
func (p *commandProvider) Create(
	ctx context.Context, request *pulumirpc.CreateRequest,
) (*pulumirpc.CreateResponse, error) {
	if request.GetPreview() {
		properties, err := previewed(request.GetProperties())
		return &pulumirpc.CreateResponse{Properties: properties}, err
	}
	id, err := resource.NewUniqueHex(resource.URN(request.GetUrn()).Name(), 8, 0)
	if err != nil {
		return nil, err
	}
	properties, err := p.run(ctx, request, request.GetProperties(), nil, args.onCreate)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CreateResponse{Id: id, Properties: properties}, nil
}

// Update runs the update command or, where there is none, the create command again.
func (p *commandProvider) Update(
	ctx context.Context, request *pulumirpc.UpdateRequest,
) (*pulumirpc.UpdateResponse, error) {
	if request.GetPreview() {
		properties, err := previewed(request.GetNews())
		return &pulumirpc.UpdateResponse{Properties: properties}, err
	}
	properties, err := p.run(ctx, request, request.GetNews(), request.GetOlds(), args.onUpdate)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.UpdateResponse{Properties: properties}, nil
}

// Delete runs the delete command with the connection that stands in the state.
func (p *commandProvider) Delete(
	ctx context.Context, request *pulumirpc.DeleteRequest,
) (*emptypb.Empty, error) {
	_, err := p.run(ctx, request, request.GetProperties(), request.GetProperties(), args.onDelete)
	return &emptypb.Empty{}, err
}

// Read returns what the state says: a command has nothing to read back, so a refresh never sees drift.
func (p *commandProvider) Read(
	_ context.Context, request *pulumirpc.ReadRequest,
) (*pulumirpc.ReadResponse, error) {
	return &pulumirpc.ReadResponse{
		Id: request.GetId(), Properties: request.GetProperties(), Inputs: request.GetInputs(),
	}, nil
}

// Cancel ends dialling and local commands. A remote command goes on: its session knows no cancellation.
func (p *commandProvider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	p.cancels.all()
	return &emptypb.Empty{}, nil
}

// run carries out the command that choose picks, with the outputs of the run before it, and returns inputs and
// outputs as the new state. Where there is no such command nothing runs and the outputs stay as they were.
func (p *commandProvider) run(
	ctx context.Context, request typed, inputs, before *structpb.Struct, choose func(args) *string,
) (*structpb.Struct, error) {
	command, err := runnerOf(typeOf(request))
	if err != nil {
		return nil, err
	}
	if err := rpc.Into(inputs, command); err != nil {
		return nil, fmt.Errorf("invalid inputs: %w", err)
	}
	var result outputs
	if err := rpc.Into(before, &result); err != nil {
		return nil, err
	}
	if line := choose(command.arguments()); line != nil {
		ctx, done := p.cancels.watch(ctx)
		defer done()
		result, err = command.run(ctx, logger{host: p.Host, urn: resource.URN(request.GetUrn())}, *line, result)
		if err != nil {
			return nil, err
		}
	}
	state, err := rpc.Decode(inputs)
	if err != nil {
		return nil, err
	}
	state["stdout"] = resource.NewProperty(result.Stdout)
	state["stderr"] = resource.NewProperty(result.Stderr)
	return rpc.Encode(state)
}

// previewed is the state that a run with these inputs would leave: its outputs are not known yet.
func previewed(inputs *structpb.Struct) (*structpb.Struct, error) {
	properties, err := rpc.Decode(inputs)
	if err != nil {
		return nil, err
	}
	state := maps.Clone(properties)
	for _, key := range []resource.PropertyKey{"stdout", "stderr"} {
		state[key] = resource.MakeComputed(resource.NewProperty(""))
	}
	return rpc.Encode(state)
}

// typed is any request about one resource.
type typed interface {
	GetType() string
	GetUrn() string
}

// typeOf is the resource's type token; older engines send it in the URN alone.
func typeOf(request typed) string {
	if request.GetType() != "" {
		return request.GetType()
	}
	return string(resource.URN(request.GetUrn()).Type())
}

// cancellations are the runs that Cancel has to reach.
type cancellations struct {
	mutex   sync.Mutex
	next    int
	running map[int]context.CancelFunc
}

// watch returns a context that ends with all, and the function to call when the run is over.
func (c *cancellations) watch(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.running == nil {
		c.running = map[int]context.CancelFunc{}
	}
	c.next++
	id := c.next
	c.running[id] = cancel
	return ctx, func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		delete(c.running, id)
		cancel()
	}
}

// all cancels every run under way.
func (c *cancellations) all() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, cancel := range c.running {
		cancel()
	}
}
