// Package layout is where RKE2 keeps its files.
package layout

import (
	"os"
	"path/filepath"
)

// Layout of one node. Tests root it in a folder of their own.
type Layout struct {
	// Data is /var/lib/rancher/rke2.
	Data string
	// Config is /etc/rancher/rke2.
	Config string
	// Images stands for the registry that the release's programs are pulled from.
	Images string
	// ContainerdState is containerd's volatile folder.
	ContainerdState string
}

// Default is RKE2's own.
var Default = Layout{
	Data:            "/var/lib/rancher/rke2",
	Config:          "/etc/rancher/rke2",
	Images:          "/usr/share/rehearsal/images",
	ContainerdState: "/run/k3s/containerd",
}

// Prepare makes the folders that everybody on the node may look into: operators call kubectl from there.
func (l Layout) Prepare() error {
	for _, folder := range []string{l.Data, l.Agent(), l.Agent("etc"), filepath.Join(l.Data, "data")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// Server is a path in the server's folder.
func (l Layout) Server(elements ...string) string { return l.in("server", elements) }

// TLS is a path in the folder of the server's certificates.
func (l Layout) TLS(elements ...string) string { return l.in("server/tls", elements) }

// Agent is a path in the folder of what every node has.
func (l Layout) Agent(elements ...string) string { return l.in("agent", elements) }

// Bin is a path in the folder of the running release's programs.
func (l Layout) Bin(elements ...string) string { return l.in("bin", elements) }

// Etcd is a path in etcd's data folder.
func (l Layout) Etcd(elements ...string) string { return l.in("server/db/etcd", elements) }

// Kubeconfig is the administrator's.
func (l Layout) Kubeconfig() string { return filepath.Join(l.Config, "rke2.yaml") }

// ContainerdSocket is where containerd serves CRI.
func (l Layout) ContainerdSocket() string { return filepath.Join(l.ContainerdState, "containerd.sock") }

func (l Layout) in(folder string, elements []string) string {
	return filepath.Join(append([]string{l.Data, folder}, elements...)...)
}
