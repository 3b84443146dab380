// Kubectl is kubectl, with the release that it says it is of. It is no part of kube: probes, steps and looks start it all
// the time, and what a server initialises at its start costs more than all that kubectl does.
package main

import (
	"os"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // authentication plugins
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"

	"rehearsal/kubernetes/release"
)

// The body of kubectl's own main.
func main() {
	release.Report()
	logs.GlogSetter(kubectl.GetLogVerbosity(os.Args)) //nolint:errcheck // as in kubectl: a bad level is reported later
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
