// Package server is a server node: it founds or joins the cluster, runs the control plane as static pods and the
// supervisor beside it.
package server

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"

	"rehearsal/rke2/layout"
	"rehearsal/rke2/node"
	"rehearsal/rke2/token"
)

// Networks as RKE2's defaults.
const (
	clusterCIDR   = "10.42.0.0/16"
	serviceCIDR   = "10.43.0.0/16"
	kubernetesIP  = "10.43.0.1"
	clusterDNS    = "10.43.0.10"
	clusterDomain = "cluster.local"
)

// Config of a server, from its command line and configuration file.
type Config struct {
	Layout layout.Layout
	// JoinURL of a server whose cluster to join, as https://HOST:9345; "" founds one.
	JoinURL string
	// Token to join with, or to found with; "" makes one up.
	Token string
	// TLSSANs are further names and addresses of the API server.
	TLSSANs []string
	// KubeconfigMode of rke2.yaml, as 0600.
	KubeconfigMode string
	// IngressController and Disable choose the charts.
	IngressController, Disable []string
	// ChartsCrashBetween makes the charts' Jobs fail while the servers are of two releases.
	ChartsCrashBetween bool
	// SnapshotFolder is "" for server/db/snapshots; SnapshotRetention is what prune leaves.
	SnapshotFolder    string
	SnapshotRetention int
	// ExtraArgs by program, as flag=value: etcd has none, the kubelet's are the node's.
	ExtraArgs map[string][]string
	Node      *node.Node
}

// snapshotFolder is where snapshots are kept.
func (c *Config) snapshotFolder() string {
	if c.SnapshotFolder != "" {
		return c.SnapshotFolder
	}
	return c.Layout.Server("db/snapshots")
}

// kubeconfigMode parses the file mode; 0600 by default.
func (c *Config) kubeconfigMode() (os.FileMode, error) {
	if c.KubeconfigMode == "" {
		return 0o600, nil
	}
	mode, err := strconv.ParseUint(c.KubeconfigMode, 8, 32)
	if err != nil {
		return 0, fmt.Errorf("failed to parse kubeconfig mode %s: %w", c.KubeconfigMode, err)
	}
	return os.FileMode(mode), nil
}

// hosts that the server's certificates are good for.
func (c *Config) hosts() []string {
	hosts := []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + clusterDomain,
		"localhost", "127.0.0.1", "::1", c.Node.Name, c.Node.IP, kubernetesIP,
	}
	for _, name := range c.TLSSANs {
		if !slices.Contains(hosts, name) {
			hosts = append(hosts, name)
		}
	}
	return hosts
}

// token that was configured, in its parts.
func (c *Config) token() (token.Token, error) {
	if c.Token == "" {
		return token.Token{}, nil
	}
	return token.Parse(c.Token)
}

// DefaultAddress is the address that this machine would reach others from, as RKE2 takes it for its node's.
func DefaultAddress() (string, error) {
	connection, err := net.Dial("udp4", "192.0.2.1:9") // sends nothing: it only chooses a route
	if err != nil {
		return "", fmt.Errorf("unable to select an IP from default routes: %w", err)
	}
	defer connection.Close()
	return connection.LocalAddr().(*net.UDPAddr).IP.String(), nil
}
