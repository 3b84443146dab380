// Kube is one binary for the Kubernetes programs of a node: linked once, and in memory once for all machines of a
// rehearsal. It becomes the program by whose name it is called, or the one its first argument names.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata" // for CronJob time zones

	"github.com/spf13/cobra"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's authentication plugins
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // the version metric
	"k8s.io/component-base/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	"rehearsal/kubernetes/kubelet"
)

// servers are built only when called: building one registers its flags for the whole process.
var servers = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 kubelet.NewCommand,
}

// releaseVariable of the environment names the RKE2 release that the programs report, as v1.35.4+rke2r1: RKE2 stamps
// it at build time, but here the releases of one Kubernetes version share one binary.
const releaseVariable = "REHEARSAL_RELEASE"

func main() {
	if release := os.Getenv(releaseVariable); release != "" {
		if err := version.SetDynamicVersion(release); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", releaseVariable, err)
			os.Exit(2)
		}
	}
	name := filepath.Base(os.Args[0])
	if name == "kube" && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		name = os.Args[0]
	}
	if newCommand, found := servers[name]; found {
		os.Exit(cli.Run(newCommand()))
	}
	if name == "kubectl" {
		runKubectl()
		return
	}
	fmt.Fprintln(os.Stderr, "usage: kube kube-apiserver|kube-controller-manager|kube-scheduler|kubelet|kubectl ARGS…")
	os.Exit(2)
}

// runKubectl is the body of kubectl's own main.
func runKubectl() {
	logs.GlogSetter(kubectl.GetLogVerbosity(os.Args)) //nolint:errcheck // as in kubectl: a bad level is reported later
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}
