package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// args are the inputs that a command has wherever it runs.
type args struct {
	Create                 *string           `json:"create"`
	Update                 *string           `json:"update"`
	Delete                 *string           `json:"delete"`
	Stdin                  *string           `json:"stdin"`
	Environment            map[string]string `json:"environment"`
	Logging                *string           `json:"logging"`
	AddPreviousOutputInEnv *bool             `json:"addPreviousOutputInEnv"`
}

func (a args) onCreate() *string { return a.Create }

func (a args) onDelete() *string { return a.Delete }

func (a args) onUpdate() *string {
	if a.Update != nil {
		return a.Update
	}
	return a.Create
}

// previousOutput is what the command may read of the run before it, by environment variable.
func (a args) previousOutput(before outputs) map[string]string {
	previous := map[string]string{}
	if a.AddPreviousOutputInEnv != nil && !*a.AddPreviousOutputInEnv {
		return previous
	}
	if before.Stdout != "" {
		previous["PULUMI_COMMAND_STDOUT"] = before.Stdout
	}
	if before.Stderr != "" {
		previous["PULUMI_COMMAND_STDERR"] = before.Stderr
	}
	return previous
}

// check finds what is wrong with the inputs of any command.
func (a args) check() []*pulumirpc.CheckFailure {
	if a.Logging == nil {
		return nil
	}
	switch *a.Logging {
	case "stdout", "stderr", "stdoutAndStderr", "none":
		return nil
	}
	return []*pulumirpc.CheckFailure{{Property: "logging", Reason: fmt.Sprintf("unknown value %q", *a.Logging)}}
}

// outputs is what a command printed, each without its last newline.
type outputs struct {
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
}

// runner is a command with the place where it runs.
type runner interface {
	arguments() args
	check() []*pulumirpc.CheckFailure
	// run carries out one command line; before is what the run before it printed.
	run(ctx context.Context, log logger, line string, before outputs) (outputs, error)
}

// logger reports to the engine, on behalf of one resource.
type logger struct {
	host *provider.HostClient
	urn  resource.URN
}

// log prints a message that stays.
func (l logger) log(severity diag.Severity, message string) {
	if l.host != nil {
		_ = l.host.Log(context.Background(), severity, l.urn, message)
	}
}

// status prints a message that only the progress display shows.
func (l logger) status(message string) {
	if l.host != nil {
		_ = l.host.LogStatus(context.Background(), diag.Info, l.urn, message)
	}
}

// capture collects what a command prints, while its lines go to the engine as the logging mode has it.
type capture struct {
	stdout, stderr, both bytes.Buffer
	mutex                sync.Mutex
	lines                *io.PipeWriter
	drained              chan struct{}
	logging              string
}

// newCapture starts to pass on lines. As in the official plugin a line of 64 KiB or more ends that, and then the
// command blocks for ever: nobody reads the pipe any more.
func newCapture(log logger, logging *string) *capture {
	reader, writer := io.Pipe()
	c := &capture{lines: writer, drained: make(chan struct{}), logging: "stdoutAndStderr"}
	if logging != nil {
		c.logging = *logging
	}
	go func() {
		defer close(c.drained)
		scanner := bufio.NewScanner(reader)
		for scanner.Scan() {
			log.status(scanner.Text())
		}
	}()
	return c
}

// stream is the writer for one of the command's two streams.
func (c *capture) stream(name string, own *bytes.Buffer) io.Writer {
	writers := []io.Writer{own, &lockedWriter{mutex: &c.mutex, writer: &c.both}}
	if c.logging == name || c.logging == "stdoutAndStderr" {
		writers = append(writers, c.lines)
	}
	return io.MultiWriter(writers...)
}

// finish waits for the last line and returns the outputs, or the command's error with all that it printed.
func (c *capture) finish(line string, err error) (outputs, error) {
	c.lines.Close()
	<-c.drained
	if err != nil {
		return outputs{}, fmt.Errorf("%w: running %q:\n%s", err, line, c.both.String())
	}
	return outputs{
		Stdout: strings.TrimSuffix(c.stdout.String(), "\n"),
		Stderr: strings.TrimSuffix(c.stderr.String(), "\n"),
	}, nil
}

// lockedWriter lets both streams write to one buffer.
type lockedWriter struct {
	mutex  *sync.Mutex
	writer io.Writer
}

func (w *lockedWriter) Write(data []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.writer.Write(data)
}
