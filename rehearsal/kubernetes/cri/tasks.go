package cri

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// ShimName is the name by which a shim is called, as containerd's own; rke2-killall.sh looks for it.
const ShimName = "containerd-shim-runc-v2"

// pollEvery is how often a wait looks again.
const pollEvery = 20 * time.Millisecond

// tasks is the folder of what runs, one folder each for sandboxes and started containers. It lies below /run, so that
// after a reboot, or after rke2-killall.sh, nothing runs.
type tasks struct{ dir, address string }

func newTasks(state, address string) (tasks, error) {
	dir := filepath.Join(state, "io.containerd.runtime.v2.task", "k8s.io")
	return tasks{dir, address}, os.MkdirAll(dir, 0o711)
}

func (t tasks) path(id string) string { return filepath.Join(t.dir, id) }

// begin notes that something runs.
func (t tasks) begin(id string) error { return os.MkdirAll(t.path(id), 0o711) }

// end forgets it.
func (t tasks) end(id string) error { return os.RemoveAll(t.path(id)) }

// see looks at a task.
func (t tasks) see(id string) task {
	var seen task
	if _, err := os.Stat(t.path(id)); err != nil {
		return seen
	}
	seen.exists = true
	// The process before its exit: one that ends in between is then seen as exited, never as lost.
	process, err := t.process(id)
	seen.alive = err == nil && process.alive()
	var exit Exit
	if readJSON(filepath.Join(t.path(id), taskExitFile), &exit) == nil {
		seen.exit = &exit
	}
	if seen.exit == nil && !seen.alive && err == nil {
		// The shim may be about to write: it is what tells an exit from a loss.
		seen.alive = process.shim().alive()
	}
	return seen
}

// process of a real container's task.
func (t tasks) process(id string) (process, error) {
	var found process
	err := readJSON(filepath.Join(t.path(id), taskInitFile), &found)
	return found, err
}

// start runs a program under a shim of its own and returns once it runs; an error is why it does not.
func (t tasks) start(ctx context.Context, id string, spec taskSpec) error {
	if err := t.begin(id); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(t.path(id), taskSpecFile), spec); err != nil {
		return err
	}
	shim := exec.Command("/proc/self/exe")
	shim.Args = []string{ShimName, "-namespace", "k8s.io", "-id", id, "-address", t.address}
	shim.Dir = t.path(id)
	shim.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := shim.Start(); err != nil {
		return fmt.Errorf("failed to start shim: %w", err)
	}
	go shim.Wait() //nolint:errcheck // reaps it; how the container ended is in the task's folder
	return poll(ctx, 10*time.Second, func() (bool, error) {
		seen := t.see(id)
		if seen.exit != nil && seen.exit.Reason == "StartError" {
			return false, errors.New(seen.exit.Message)
		}
		return seen.exit != nil || seen.alive, nil
	})
}

// stop ends a real container: TERM to its program, after its grace KILL to all of its session.
func (t tasks) stop(ctx context.Context, id string, grace time.Duration) error {
	process, err := t.process(id)
	if err != nil {
		return nil // never started, or gone with a reboot
	}
	gone := func() (bool, error) { seen := t.see(id); return seen.exit != nil || !seen.alive, nil }
	if grace > 0 {
		if err := process.signal(syscall.SIGTERM, false); err != nil {
			return err
		}
		if err := poll(ctx, grace, gone); !errors.Is(err, errDeadline) {
			return err
		}
	}
	if err := process.signal(syscall.SIGKILL, true); err != nil {
		return err
	}
	return poll(ctx, 10*time.Second, gone)
}

// reopenLog tells a real container's shim to reopen its log.
func (t tasks) reopenLog(id string) error {
	process, err := t.process(id)
	if err != nil {
		return err
	}
	return process.shim().signal(syscall.SIGUSR1, false)
}

var errDeadline = errors.New("not done in time")

// poll asks until done, an error, or the limit (errDeadline).
func poll(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errDeadline)
	defer cancel()
	for {
		if finished, err := done(); finished || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pollEvery):
		}
	}
}
