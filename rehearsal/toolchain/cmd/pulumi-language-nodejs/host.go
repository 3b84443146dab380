package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	"github.com/pulumi/pulumi/sdk/v3/nodejs/npm"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// languageHost answers the engine's questions about Node.js programs. What it does not answer it refuses as
// unimplemented.
type languageHost struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine  string
	tracing string
	// stop ends the whole host.
	stop context.CancelFunc
	// cancelled ends with the engine's Cancel, and the programs that run with it.
	cancelled context.Context
	cancel    context.CancelFunc
}

func newHost(engine, tracing string, stop context.CancelFunc) *languageHost {
	cancelled, cancel := context.WithCancel(context.Background())
	return &languageHost{engine: engine, tracing: tracing, stop: stop, cancelled: cancelled, cancel: cancel}
}

// watchEngine ends the host when the engine no longer answers.
func (h *languageHost) watchEngine(ctx context.Context) error {
	if err := rpcutil.Healthcheck(ctx, h.engine, engineSilence, h.stop); err != nil {
		return fmt.Errorf("could not start health check host RPC server: %w", err)
	}
	return nil
}

// Handshake is the engine's first call and carries its address.
func (h *languageHost) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = request.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, h.watchEngine(h.cancelled)
}

// Cancel interrupts the programs that run.
func (h *languageHost) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.cancel()
	return &emptypb.Empty{}, nil
}

// GetPluginInfo tells the version of Pulumi that this host was built from.
func (h *languageHost) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

// About tells which Node.js and which package manager are used.
func (h *languageHost) About(
	ctx context.Context, request *pulumirpc.AboutRequest,
) (*pulumirpc.AboutResponse, error) {
	manager, err := packageManager(request.GetInfo())
	if err != nil {
		return nil, err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("could not find executable %q: %w", "node", err)
	}
	metadata := map[string]string{"packagemanager": manager.Name()}
	if version, err := manager.Version(); err == nil {
		metadata["packagemanagerVersion"] = version.String()
	}
	nodeVersion, _ := exec.CommandContext(ctx, node, "--version").Output()
	return &pulumirpc.AboutResponse{
		Executable: node, Version: strings.TrimSpace(string(nodeVersion)), Metadata: metadata,
	}, nil
}

// InstallDependencies runs the project's package manager.
func (h *languageHost) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest, stream pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(stream, request.GetIsTerminal())
	if err != nil {
		return err
	}
	defer closer.Close()
	options, err := parseOptions(request.GetInfo())
	if err != nil {
		return err
	}
	fmt.Fprint(stdout, "Installing dependencies...\n\n")
	directory := request.GetInfo().GetProgramDirectory()
	if _, err := npm.Install(stream.Context(), options.packageManager, directory, false, stdout, stderr); err != nil {
		return err
	}
	fmt.Fprint(stdout, "Finished installing dependencies\n\n")
	return closer.Close()
}

// GetProgramDependencies lists the npm packages that the program uses.
func (h *languageHost) GetProgramDependencies(
	ctx context.Context, request *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	manager, err := packageManager(request.GetInfo())
	if err != nil {
		return nil, err
	}
	packages, err := manager.ListPackages(ctx, request.GetInfo().GetProgramDirectory(), request.GetTransitiveDependencies())
	if err != nil {
		return nil, fmt.Errorf("failed to get node dependencies: %w", err)
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, dependency := range packages {
		response.Dependencies = append(response.Dependencies, &pulumirpc.DependencyInfo{
			Name: dependency.Name, Version: dependency.Version,
		})
	}
	return response, nil
}

// RuntimeOptionsPrompts asks nothing more of `pulumi new`.
func (h *languageHost) RuntimeOptionsPrompts(
	context.Context, *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

// Template leaves a new project as it is.
func (h *languageHost) Template(
	context.Context, *pulumirpc.TemplateRequest,
) (*pulumirpc.TemplateResponse, error) {
	return &pulumirpc.TemplateResponse{}, nil
}

// packageManager finds the one that the project uses.
func packageManager(info *pulumirpc.ProgramInfo) (npm.PackageManager, error) {
	options, err := parseOptions(info)
	if err != nil {
		return nil, err
	}
	return npm.ResolvePackageManager(options.packageManager, info.GetProgramDirectory())
}
