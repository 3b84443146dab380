package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/google/shlex"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const (
	// exitAfterMessage is the exit status of a program that has told its user what is wrong: nothing is to be added.
	exitAfterMessage = 32
	// interruptGrace is how long an interrupted program may take to end.
	interruptGrace = 5 * time.Second
)

// Run executes the program and says how it ended. The program reaches the engine's resource monitor directly; the
// official host stands between them only for synchronous invokes, which the SDK no longer makes.
func (h *languageHost) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	if h.engine == "" {
		return nil, errors.New("when debugging or running explicitly, must call Handshake before Run")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return failed(fmt.Errorf("could not find node on the $PATH: %w", err)), nil
	}
	script := os.Getenv("PULUMI_LANGUAGE_NODEJS_RUN_PATH")
	if script == "" {
		script = "@pulumi/pulumi/cmd/run"
	}
	script, err = locate(ctx, node, script, request.GetInfo().GetProgramDirectory())
	if err != nil {
		return failed(err), nil
	}
	// Either the engine's Cancel or the end of its call interrupts the program.
	running, interrupt := context.WithCancel(h.cancelled)
	defer interrupt()
	defer context.AfterFunc(ctx, interrupt)()
	command, err := h.command(running, node, script, request)
	if err != nil {
		return failed(err), nil
	}
	return conclude(command.Run()), nil
}

// locate asks node where a module is, as seen from the program.
func locate(ctx context.Context, node, module, directory string) (string, error) {
	script := fmt.Sprintf(`try { console.log(require.resolve(%q)) } catch (error) {`+
		` console.error(error.code === "MODULE_NOT_FOUND" ? "It looks like the Pulumi SDK has not been installed. `+
		`Have you run pulumi install?" : error.message); process.exit(1) }`, module)
	command := exec.CommandContext(ctx, node, "-e", script)
	command.Dir = directory
	path, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", errors.New(string(exit.Stderr))
	}
	return strings.TrimSpace(string(path)), err
}

// command prepares node with the program's arguments and environment.
func (h *languageHost) command(
	ctx context.Context, node, script string, request *pulumirpc.RunRequest,
) (*exec.Cmd, error) {
	options, err := parseOptions(request.GetInfo())
	if err != nil {
		return nil, err
	}
	arguments, err := shlex.Split(options.nodeArgs)
	if err != nil {
		return nil, err
	}
	environment, err := environmentOf(request, options)
	if err != nil {
		return nil, err
	}
	arguments = append(append(arguments, script), h.arguments(request)...)
	command := exec.CommandContext(ctx, node, arguments...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = interruptGrace
	command.Env = append(os.Environ(), environment...)
	// Through a pipe, not as the same file: node may set its standard streams to non-blocking, ours with them.
	command.Stdout = struct{ io.Writer }{os.Stdout}
	command.Stderr = struct{ io.Writer }{os.Stderr}
	return command, nil
}

// arguments are the ones that @pulumi/pulumi/cmd/run knows; the empty ones are left out.
func (h *languageHost) arguments(request *pulumirpc.RunRequest) []string {
	var arguments []string
	for _, option := range [][2]string{
		{"--monitor", request.GetMonitorAddress()},
		{"--engine", h.engine},
		{"--organization", request.GetOrganization()},
		{"--project", request.GetProject()},
		{"--root-directory", request.GetInfo().GetRootDirectory()},
		{"--stack", request.GetStack()},
		{"--pwd", request.GetInfo().GetProgramDirectory()},
		{"--parallel", strconv.Itoa(int(request.GetParallel()))},
		{"--tracing", h.tracing},
	} {
		if option[1] != "" {
			arguments = append(arguments, option[0], option[1])
		}
	}
	if request.GetDryRun() {
		arguments = append(arguments, "--dry-run")
	}
	arguments = append(arguments, request.GetInfo().GetEntryPoint())
	return append(arguments, request.GetArgs()...)
}

// environmentOf is what the program reads from its environment: configuration and how to load TypeScript.
func environmentOf(request *pulumirpc.RunRequest, options options) ([]string, error) {
	values := map[string]string{}
	for name, value := range request.GetConfig() {
		key, err := config.ParseKey(name)
		if err != nil {
			return nil, fmt.Errorf("failed to serialize configuration: %w", err)
		}
		values[key.Namespace()+":config:"+key.Name()] = value
	}
	configuration, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	secretKeys, err := json.Marshal(append([]string{}, request.GetConfigSecretKeys()...))
	if err != nil {
		return nil, err
	}
	environment := []string{
		"PULUMI_CONFIG=" + string(configuration), "PULUMI_CONFIG_SECRET_KEYS=" + string(secretKeys),
	}
	if options.typescript {
		environment = append(environment, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	if options.tsconfig != "" {
		environment = append(environment, "PULUMI_NODEJS_TSCONFIG_PATH="+options.tsconfig)
	}
	return environment, nil
}

// conclude turns the end of the program's process into the answer to the engine.
func conclude(err error) *pulumirpc.RunResponse {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}
	case errors.As(err, &exit) && exit.ExitCode() == exitAfterMessage:
		return &pulumirpc.RunResponse{Bail: true}
	case errors.As(err, &exit):
		return failed(fmt.Errorf("Program exited with non-zero exit code: %d", exit.ExitCode())) //nolint:staticcheck
	}
	return failed(fmt.Errorf("Problem executing program (could not run language executor): %w", err)) //nolint:staticcheck
}

func failed(err error) *pulumirpc.RunResponse {
	return &pulumirpc.RunResponse{Error: err.Error()}
}
