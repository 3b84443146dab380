package node

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"

	"rehearsal/rke2/layout"
	"rehearsal/rke2/release"
)

// stopTimeout is how long a child may take to end after SIGTERM.
const stopTimeout = 10 * time.Second

// Environment of the release's programs: they report its version, and are not to notify systemd in our name.
func Environment(l layout.Layout) []string {
	environment := []string{"REHEARSAL_RELEASE=" + release.Version}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		switch name {
		case "NOTIFY_SOCKET":
		case "PATH":
			environment = append(environment, "PATH="+l.Bin()+":"+value)
		default:
			environment = append(environment, variable)
		}
	}
	return environment
}

// Supervise runs a program with its output in a log file, and again whenever it ends, until the context does; then it
// ends the program and returns. The program dies with this process even if that is killed.
func Supervise(ctx context.Context, l layout.Layout, program, logFile string, args []string) error {
	// PR_SET_PDEATHSIG is about the thread that forked.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := os.MkdirAll(filepath.Dir(logFile), 0o755); err != nil {
		return err
	}
	output, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer output.Close()
	for ctx.Err() == nil {
		cmd := exec.CommandContext(ctx, l.Bin(program), args...)
		cmd.Stdout, cmd.Stderr, cmd.Env = output, output, Environment(l)
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = stopTimeout
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		err := cmd.Run()
		if ctx.Err() != nil {
			return nil
		}
		logrus.Errorf("%s exited: %v", program, err)
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Second):
		}
	}
	return nil
}

// Poll asks until the answer is no error or the context ends. message goes to the log with what is wrong, at first and
// then every few seconds.
func Poll(ctx context.Context, message string, ask func(context.Context) error) error {
	const interval, quiet = 500 * time.Millisecond, 10 * time.Second
	for last := (time.Time{}); ; {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if time.Since(last) > quiet {
			logrus.Infof("%s: %v", message, err)
			last = time.Now()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(interval):
		}
	}
}
