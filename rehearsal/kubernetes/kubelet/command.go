// Package kubelet is the real kubelet, hollow where it would reach into the machine's kernel: no cgroups, no mounts,
// no cAdvisor, as in Kubernetes' own kubemark. All else is the kubelet's own code: sync loop, probes, evictions,
// lease, status, static pods, server, and a container runtime reached through CRI.
package kubelet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/wait"
	genericapiserver "k8s.io/apiserver/pkg/server"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/component-base/version/verflag"
	"k8s.io/klog/v2"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/util/oom"
	"k8s.io/mount-utils"

	"rehearsal/kubernetes/node"
)

// NewCommand returns the kubelet's command line: every flag of the real one except --config and --config-dir, and two
// of the rehearsal's own that override /etc/rehearsal/node.json: --capacity and --extended-resources, both
// NAME=QUANTITY,….
func NewCommand() *cobra.Command {
	flags := options.NewKubeletFlags()
	config, err := options.NewKubeletConfiguration()
	if err != nil {
		panic(err) // the defaults themselves are wrong: a programmer's error
	}
	settings := node.Load()

	cmd := &cobra.Command{
		Use:          "kubelet",
		Long:         "The kubelet of the rehearsal: the real one without cgroups, mounts and cAdvisor.",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			verflag.PrintAndExitIfRequested()
			cliflag.PrintFlags(cmd.Flags())
			return run(flags, config, settings)
		},
	}
	fs := cmd.Flags()
	fs.SetNormalizeFunc(cliflag.WordSepNormalizeFunc)
	flags.AddFlags(fs)
	options.AddKubeletConfigFlags(fs, config)
	options.AddGlobalFlags(fs)
	fs.Var(cliflag.NewMapStringString(&settings.Capacity), "capacity", "the machine's cpu and memory, as cpu=4,memory=16Gi")
	fs.Var(cliflag.NewMapStringString(&settings.ExtendedResources), "extended-resources", "resources that a device plugin would report, as nvidia.com/gpu=1")
	return cmd
}

// run is the kubelet until SIGTERM or an error; it follows the real command's order of steps.
func run(flags *options.KubeletFlags, config *kubeletconfig.KubeletConfiguration, settings node.Settings) error {
	if err := utilfeature.DefaultMutableFeatureGate.SetFromMap(config.FeatureGates); err != nil {
		return fmt.Errorf("failed to set feature gates: %w", err)
	}
	if err := options.ValidateKubeletFlags(flags); err != nil {
		return fmt.Errorf("failed to validate kubelet flags: %w", err)
	}
	logs.InitLogs()
	if err := logsapi.ValidateAndApplyAsField(&config.Logging, utilfeature.DefaultFeatureGate, field.NewPath("logging")); err != nil {
		return fmt.Errorf("initialize logging: %w", err)
	}
	// Without cgroups neither can hold, and validation demands that they agree.
	config.CgroupsPerQOS = false
	config.EnforceNodeAllocatable = nil

	machine, err := newMachine(settings.Capacity)
	if err != nil {
		return err
	}
	extended, err := quantities(settings.ExtendedResources)
	if err != nil {
		return err
	}
	if err := ensureKernelLog("/dev/kmsg"); err != nil {
		return err
	}
	ctx := genericapiserver.SetupSignalContext()
	if err := waitForRuntime(ctx, config.ContainerRuntimeEndpoint); err != nil {
		return err
	}

	server := &options.KubeletServer{KubeletFlags: *flags, KubeletConfiguration: *config}
	deps, err := kubeletapp.UnsecuredDependencies(ctx, server, utilfeature.DefaultFeatureGate)
	if err != nil {
		return fmt.Errorf("failed to construct kubelet dependencies: %w", err)
	}
	deps.CAdvisorInterface = machine
	deps.ContainerManager = containerManager{cm.NewStubContainerManagerWithDevicePluginResource(extended)}
	deps.OOMAdjuster = oom.NewFakeOOMAdjuster()
	deps.Mounter = mount.NewFakeMounter(nil)
	utilfeature.DefaultMutableFeatureGate.AddMetrics()
	return kubeletapp.Run(ctx, server, deps, utilfeature.DefaultFeatureGate)
}

// containerManager is kubemark's, which manages no cgroups, with a name for the one that would hold the pods: the
// eviction manager looks for it every ten seconds.
type containerManager struct{ cm.ContainerManager }

// GetPodCgroupRoot implements cm.ContainerManager.
func (containerManager) GetPodCgroupRoot() string { return "/kubepods" }

// ensureKernelLog gives the kubelet's watch for out-of-memory kills an empty kernel log where there is none: it does not
// start without, and systemd-nspawn's machines have none.
func ensureKernelLog(path string) error {
	if err := os.Symlink(os.DevNull, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("no kernel log for the kubelet: %w", err)
	}
	return nil
}

// waitForRuntime blocks until something listens at the CRI socket, which the real kubelet would exit without.
func waitForRuntime(ctx context.Context, endpoint string) error {
	path := strings.TrimPrefix(endpoint, "unix://")
	return wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(context.Context) (bool, error) {
		conn, err := net.Dial("unix", path)
		if err != nil {
			klog.V(2).InfoS("Waiting for the container runtime", "endpoint", endpoint, "err", err)
			return false, nil
		}
		return true, conn.Close()
	})
}

// quantities parses NAME → QUANTITY; the error names the one that is none.
func quantities(of map[string]string) (v1.ResourceList, error) {
	list := v1.ResourceList{}
	for name, text := range of {
		quantity, err := resource.ParseQuantity(text)
		if err != nil {
			return nil, fmt.Errorf("resource %s=%q: %w", name, text, err)
		}
		list[v1.ResourceName(name)] = quantity
	}
	return list, nil
}

// hostname is the name by which cAdvisor would know the machine.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
