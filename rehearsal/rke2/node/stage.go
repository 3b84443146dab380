// Package node is what servers and agents have in common: the release's programs, containerd, the kubelet, and the
// way to the API servers.
package node

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sirupsen/logrus"

	"rehearsal/rke2/layout"
	"rehearsal/rke2/release"
)

// registryDown is a file that says that this machine reaches no registry (rehearsal/kubernetes/cri/registry.go asks it too).
var registryDown = "/etc/rehearsal/faults/registry-down"

// StageBinaries puts the release's programs into data/<release>-<hash>/bin and links bin to it, as RKE2 extracts its
// runtime image, from an archive in agent/images or else from a registry. Here they are links into the folder that stands
// for the registry; a release that is not in it fails as a pull does, and so does one that no archive names where the
// registry cannot be reached. What was extracted once is asked of nobody again.
func StageBinaries(l layout.Layout) error {
	image := release.KubernetesImage()
	source := filepath.Join(l.Images, "hardened-kubernetes", release.Kubernetes(), "bin")
	programs, err := os.ReadDir(source)
	if err != nil {
		return fmt.Errorf("failed to extract runtime image: failed to pull images: %s: not found", image)
	}
	sum := sha256.Sum256([]byte(image))
	target := filepath.Join(l.Data, "data", release.TagSafe()+"-"+hex.EncodeToString(sum[:6]))
	if !layout.Exists(filepath.Join(target, "bin")) {
		logrus.Infof("Checking local image archives in %s for %s", l.Agent("images"), image)
		if archive := archived(l, image); archive != "" {
			logrus.Infof("Extracting %s from %s", image, archive)
		} else if layout.Exists(registryDown) {
			return fmt.Errorf("failed to extract runtime image: failed to pull images: %s: the registry cannot be reached", image)
		}
	}
	if err := os.MkdirAll(filepath.Join(target, "bin"), 0o755); err != nil {
		return err
	}
	for _, program := range programs {
		if err := link(filepath.Join(source, program.Name()), filepath.Join(target, "bin", program.Name())); err != nil {
			return err
		}
	}
	logrus.Infof("Runtime image %s bin and charts directories already exist; skipping extract", image)
	return link(filepath.Join(target, "bin"), l.Bin())
}

// link makes a symbolic link, in one step where another one is in its place.
func link(target, path string) error {
	if existing, err := os.Readlink(path); err == nil && existing == target {
		return nil
	}
	temporary := path + ".new"
	_ = os.Remove(temporary)
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
