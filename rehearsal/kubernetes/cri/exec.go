package cri

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// sleepCommand is the one command that simulated containers know, since preStop hooks use it to delay their end.
var sleepCommand = regexp.MustCompile(`^(?:/bin/)?sleep (\d+(?:\.\d+)?)s?$`)

// ExecSync runs a command of a real container's image on the host. In a simulated container every command succeeds
// without a word, and sleep sleeps.
func (r *Runtime) ExecSync(ctx context.Context, request *runtimeapi.ExecSyncRequest) (*runtimeapi.ExecSyncResponse, error) {
	container, err := r.container(request.GetContainerId())
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	state, _ := r.observe(container)
	r.mu.Unlock()
	if state != runtimeapi.ContainerState_CONTAINER_RUNNING {
		return nil, fmt.Errorf("failed to exec in container: container is in %s state", state)
	}
	if timeout := request.GetTimeout(); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(timeout)*time.Second)
		defer cancel()
	}
	command := request.GetCmd()
	if container.Program == "" || len(command) == 0 {
		return &runtimeapi.ExecSyncResponse{}, simulateExec(ctx, command)
	}
	program, err := r.images.program(container.Tag, command[0])
	if err != nil {
		return nil, fmt.Errorf("failed to exec in container: %w", err)
	}
	return execOnHost(ctx, program, command)
}

func execOnHost(ctx context.Context, program string, command []string) (*runtimeapi.ExecSyncResponse, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program)
	cmd.Args, cmd.Env, cmd.Dir = command, []string{searchPath, "HOME=/root"}, "/"
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, &stderr, time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, deadlineExceeded(command)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, fmt.Errorf("failed to exec in container: %w", err)
	}
	return &runtimeapi.ExecSyncResponse{
		Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), ExitCode: int32(cmd.ProcessState.ExitCode()),
	}, nil
}

// simulateExec sleeps if that is what the command does, directly or through a shell.
func simulateExec(ctx context.Context, command []string) error {
	if len(command) == 3 && command[1] == "-c" {
		command = command[2:]
	}
	match := sleepCommand.FindStringSubmatch(strings.Join(command, " "))
	if match == nil {
		return nil
	}
	duration, err := time.ParseDuration(match[1] + "s")
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return deadlineExceeded(command)
	case <-time.After(duration):
		return nil
	}
}

// deadlineExceeded is how containerd says that a command took too long; the kubelet looks at the code.
func deadlineExceeded(command []string) error {
	return status.Errorf(codes.DeadlineExceeded, "failed to exec in container: timeout exceeded: %q", command)
}
