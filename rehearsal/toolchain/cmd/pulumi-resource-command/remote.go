package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"golang.org/x/crypto/ssh"
)

// remoteCommand runs on another host, over SSH.
type remoteCommand struct {
	args
	Connection connection `json:"connection"`
}

func (c *remoteCommand) arguments() args { return c.args }

func (c *remoteCommand) check() []*pulumirpc.CheckFailure {
	return append(c.args.check(), c.Connection.check("connection")...)
}

// run opens a connection of its own. Like the official plugin it does not close it: the connection lasts as long as
// the plugin's process. Once the command runs, neither Ctrl-C nor a custom timeout ends it.
func (c *remoteCommand) run(ctx context.Context, log logger, line string, before outputs) (outputs, error) {
	client, err := c.Connection.dial(ctx, log)
	if err != nil {
		return outputs{}, err
	}
	session, err := client.NewSession()
	if err != nil {
		return outputs{}, err
	}
	defer session.Close()
	for name, value := range c.Environment {
		if err := setenv(session, log, diag.Error, name, value); err != nil {
			return outputs{}, err
		}
	}
	for name, value := range c.previousOutput(before) {
		// Refused by most servers, and then only warned about.
		_ = setenv(session, log, diag.Warning, name, value)
	}
	if c.Stdin != nil && *c.Stdin != "" {
		session.Stdin = strings.NewReader(*c.Stdin)
	}
	captured := newCapture(log, c.Logging)
	session.Stdout = captured.stream("stdout", &captured.stdout)
	session.Stderr = captured.stream("stderr", &captured.stderr)
	return captured.finish(line, session.Run(line))
}

// setenv asks the server to set a variable, and says what to do where its AcceptEnv does not have it.
func setenv(session *ssh.Session, log logger, severity diag.Severity, name, value string) error {
	err := session.Setenv(name, value)
	if err == nil {
		return nil
	}
	log.log(severity, fmt.Sprintf("Unable to set '%s'. This only works if your SSH server is configured to accept\n"+
		"\tthese variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you could\n"+
		"\tprefix the command itself with the variables in the form 'VAR=value command'", name))
	return fmt.Errorf("could not set environment variable %q: %w", name, err)
}
