// Package charts deploys what RKE2 packs into a cluster: for each chart a HelmChart object, a helm-install Job, and
// once that has ended the chart's workload. There is no Helm here: the Job's container is simulated, and the workload
// is a small rendering of the chart's.
package charts

import (
	"slices"
	"strings"
)

// all charts that this package knows.
var all = []string{"rke2-canal", "rke2-coredns", "rke2-metrics-server", "rke2-ingress-nginx", "rke2-traefik"}

// traefikSince is the minor version of Kubernetes from which Traefik is the ingress controller of choice.
const traefikSince = 36

// Select the charts of a release. controllers is the configuration's ingress-controller; where it is unset the choice
// is ingress-nginx before 1.36, and from then on traefik unless a HelmChart rke2-ingress-nginx exists: then it stays
// ingress-nginx. "none" is none. disabled charts are left out whatever else is configured.
func Select(minor int, controllers, disabled, existing []string) []string {
	if len(controllers) == 0 {
		controllers = []string{"ingress-nginx"}
		if minor >= traefikSince && !slices.Contains(existing, "rke2-ingress-nginx") {
			controllers = []string{"traefik"}
		}
	}
	wanted := map[string]bool{"rke2-canal": true, "rke2-coredns": true, "rke2-metrics-server": true}
	for _, value := range controllers {
		for _, controller := range strings.Split(value, ",") {
			wanted["rke2-"+strings.TrimPrefix(strings.TrimSpace(controller), "rke2-")] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(chart string) bool {
		return !wanted[chart] || slices.Contains(disabled, chart)
	})
}
