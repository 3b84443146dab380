// Package release names the RKE2 release that a program says it is of.
package release

import (
	"fmt"
	"os"

	"k8s.io/component-base/version"
)

// variable of the environment names it, as v1.35.4+rke2r1: RKE2 stamps it at build time, but here the releases of one
// Kubernetes version share one binary.
const variable = "REHEARSAL_RELEASE"

// Report has this process call itself the release of its environment, if there is one; else it ends it.
func Report() {
	release := os.Getenv(variable)
	if release == "" {
		return
	}
	if err := version.SetDynamicVersion(release); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", variable, err)
		os.Exit(2)
	}
}
