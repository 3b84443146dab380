package main

import (
	"context"
	"os"
	"os/exec"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// localCommand runs where the engine runs.
type localCommand struct {
	args
	Dir          string   `json:"dir"`
	Interpreter  []string `json:"interpreter"`
	AssetPaths   []string `json:"assetPaths"`
	ArchivePaths []string `json:"archivePaths"`
}

func (c *localCommand) arguments() args { return c.args }

func (c *localCommand) check() []*pulumirpc.CheckFailure {
	failures := c.args.check()
	if len(c.AssetPaths)+len(c.ArchivePaths) > 0 {
		failures = append(failures, &pulumirpc.CheckFailure{
			Property: "assetPaths",
			Reason:   "the rehearsal's stand-in for the command plugin collects no assets or archives",
		})
	}
	return failures
}

func (c *localCommand) run(ctx context.Context, log logger, line string, before outputs) (outputs, error) {
	interpreter := c.Interpreter
	if len(interpreter) == 0 {
		interpreter = []string{"/bin/sh", "-c"}
	}
	command := exec.CommandContext(ctx, interpreter[0], append(interpreter[1:], line)...)
	command.Dir = c.Dir
	command.Env = os.Environ()
	for _, variables := range []map[string]string{c.Environment, c.previousOutput(before)} {
		for name, value := range variables {
			command.Env = append(command.Env, name+"="+value)
		}
	}
	if c.Stdin != nil && *c.Stdin != "" {
		command.Stdin = strings.NewReader(*c.Stdin)
	}
	captured := newCapture(log, c.Logging)
	command.Stdout = captured.stream("stdout", &captured.stdout)
	command.Stderr = captured.stream("stderr", &captured.stderr)
	return captured.finish(line, command.Run())
}
