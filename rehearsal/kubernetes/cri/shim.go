package cri

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Files of a task's folder, by which the runtime and a shim, which outlive one another, speak.
const (
	taskSpecFile = "config.json"
	taskInitFile = "init.json"
	taskExitFile = "exit.json"
)

// taskSpec is what a shim is to run.
type taskSpec struct {
	Program string
	Args    []string
	Env     []string
	LogPath string
}

// process is one on this machine, told from a later one with the same PID by its start.
type process struct {
	PID int
	// Start in clock ticks after boot, as /proc/PID/stat has it.
	Start uint64
	// ShimPID and ShimStart are the process that waits for it.
	ShimPID   int
	ShimStart uint64
}

// shim is the process that waits for this one.
func (p process) shim() process { return process{PID: p.ShimPID, Start: p.ShimStart} }

// RunShim is one container's parent, as containerd's shim: it starts the program in a session of its own, writes its
// output to the container's log, waits for it, and notes how it ended. It outlives the runtime. dir is the task's
// folder. SIGUSR1 reopens the log.
func RunShim(dir string) error {
	var spec taskSpec
	if err := readJSON(filepath.Join(dir, taskSpecFile), &spec); err != nil {
		return err
	}
	exit := func(code int32, reason, message string) error {
		return writeJSON(filepath.Join(dir, taskExitFile), Exit{At: time.Now(), Code: code, Reason: reason, Message: message})
	}
	log, err := openLog(spec.LogPath)
	if err != nil {
		return exit(exitUnknown, "StartError", err.Error())
	}
	defer log.Close()
	reopen := make(chan os.Signal, 1)
	signal.Notify(reopen, syscall.SIGUSR1)
	go func() {
		for range reopen {
			_ = log.reopen() // else it goes on in the old file
		}
	}()
	// A shim goes when its program does, never by a signal that is meant for a service or a terminal. They are caught,
	// not ignored: the program would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)

	cmd := exec.Command(spec.Program)
	cmd.Args, cmd.Env, cmd.Dir = spec.Args, spec.Env, "/"
	stdout, stderr := log.stream("stdout"), log.stream("stderr")
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.WaitDelay = time.Second // for children that keep its output open
	if err := cmd.Start(); err != nil {
		return exit(128, "StartError", fmt.Sprintf("failed to start container: %v", err))
	}
	if err := noteProcess(dir, cmd.Process.Pid); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return exit(128, "StartError", err.Error())
	}
	waitErr := cmd.Wait()
	stdout.flush()
	stderr.flush()
	if cmd.ProcessState == nil {
		return exit(exitUnknown, "Unknown", waitErr.Error())
	}
	code := int32(cmd.ProcessState.ExitCode())
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = 128 + int32(status.Signal())
	}
	return exit(code, reasonOf(code), "")
}

// noteProcess writes down which process this shim waits for.
func noteProcess(dir string, pid int) error {
	// One that is a zombie already has exited; the shim learns how when it waits.
	start, err := startOf(pid)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	self, err := startOf(os.Getpid())
	if err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, taskInitFile), process{pid, start, os.Getpid(), self})
}

// alive tells whether the process still runs (a zombie does not).
func (p process) alive() bool {
	start, err := startOf(p.PID)
	return err == nil && start == p.Start
}

// signal sends a signal to the process, or to its whole session's group; one that is gone is no error.
func (p process) signal(sig syscall.Signal, group bool) error {
	// With the descriptor taken before the look at its start, a PID that was given away meanwhile cannot be hit.
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil || !p.alive() {
		return nil
	}
	defer unix.Close(fd)
	if group {
		err = syscall.Kill(-p.PID, sig)
	} else {
		err = unix.PidfdSendSignal(fd, sig, nil, 0)
	}
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// startOf reads when a process started (field 22 of /proc/PID/stat); a zombie is an error as one that is gone.
func startOf(pid int) (uint64, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	// The second field, the command in brackets, may hold anything; state is the first after it.
	after := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(after) < 20 || after[0] == "Z" || after[0] == "X" {
		return 0, os.ErrProcessDone
	}
	return strconv.ParseUint(after[19], 10, 64)
}
