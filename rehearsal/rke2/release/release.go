// Package release says for which release of RKE2 this binary stands, and which images that release is made of.
package release

import (
	"fmt"
	"strconv"
	"strings"
)

// Stamped by build.sh.
var (
	// Version of the release, as v1.35.4+rke2r1.
	Version = "v0.0.0+rke2r0"
	// Commit that it was built from: 40 hexadecimal digits.
	Commit = "0000000000000000000000000000000000000000"
	// BuildDate of its images, as 20260820. It differs between releases, as RKE2's own images are rebuilt for each.
	BuildDate = "19700101"
	// Etcd is the version of etcd in it.
	Etcd = "v0.0.0"
)

// Kubernetes is the Kubernetes version of the release: v1.35.4 for v1.35.4+rke2r1.
func Kubernetes() string {
	kubernetes, _, _ := strings.Cut(Version, "+")
	return kubernetes
}

// Minor is the minor Kubernetes version: 35 for v1.35.4+rke2r1, 0 where the version has none.
func Minor() int {
	parts := strings.Split(Kubernetes(), ".")
	if len(parts) < 2 {
		return 0
	}
	minor, _ := strconv.Atoi(parts[1])
	return minor
}

// TagSafe is the version as it stands in image tags and folder names, where no + may be.
func TagSafe() string { return strings.ReplaceAll(Version, "+", "-") }

// KubernetesImage is the image of the control plane.
func KubernetesImage() string {
	return fmt.Sprintf("rancher/hardened-kubernetes:%s-build%s", TagSafe(), BuildDate)
}

// EtcdImage is etcd's image.
func EtcdImage() string {
	return fmt.Sprintf("rancher/hardened-etcd:%s-k3s1-build%s", Etcd, BuildDate)
}
