// Package etcd makes this server a member of the cluster's etcd: founds it, joins it, and saves snapshots of it.
package etcd

import (
	"fmt"
	"os"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"rehearsal/rke2/layout"
	"rehearsal/rke2/token"
)

// Ports as in RKE2. ClientPort speaks gRPC alone: the JSON gateway is at HTTPPort, on the loopback address only.
const (
	ClientPort  = 2379
	PeerPort    = 2380
	MetricsPort = 2381
	HTTPPort    = 2382
)

// Member is this server's.
type Member struct {
	Layout   layout.Layout
	NodeName string
	// Address of the node.
	Address string
	// Name of the member: the node's and eight random digits.
	Name string
}

// NewMember reads the member's name, or gives it a new one.
func NewMember(l layout.Layout, nodeName, address string) (*Member, error) {
	member := &Member{Layout: l, NodeName: nodeName, Address: address}
	name, err := os.ReadFile(l.Etcd("name"))
	if os.IsNotExist(err) {
		member.Name = nodeName + "-" + token.NewPassword()[:8]
		return member, layout.Write(l.Etcd("name"), []byte(member.Name), 0o600)
	}
	member.Name = string(name)
	return member, err
}

// Initialized tells whether the member has data: whether it has been part of a cluster.
func (m *Member) Initialized() bool { return layout.Exists(m.Layout.Etcd("member", "wal")) }

// PeerURL is where the other members reach it.
func (m *Member) PeerURL() string { return fmt.Sprintf("https://%s:%d", m.Address, PeerPort) }

// ConfigFile is etcd's.
func (m *Member) ConfigFile() string { return m.Layout.Etcd("config") }

// settings is etcd's configuration file.
type settings struct {
	Name                        string   `yaml:"name"`
	DataDir                     string   `yaml:"data-dir"`
	ListenClientURLs            string   `yaml:"listen-client-urls"`
	ListenClientHTTPURLs        string   `yaml:"listen-client-http-urls"`
	ListenMetricsURLs           string   `yaml:"listen-metrics-urls"`
	ListenPeerURLs              string   `yaml:"listen-peer-urls"`
	AdvertiseClientURLs         string   `yaml:"advertise-client-urls"`
	InitialAdvertisePeerURLs    string   `yaml:"initial-advertise-peer-urls"`
	InitialCluster              string   `yaml:"initial-cluster"`
	InitialClusterState         string   `yaml:"initial-cluster-state"`
	ForceNewCluster             bool     `yaml:"force-new-cluster,omitempty"`
	ClientTransport             trust    `yaml:"client-transport-security"`
	PeerTransport               trust    `yaml:"peer-transport-security"`
	ElectionTimeout             int      `yaml:"election-timeout"`
	HeartbeatInterval           int      `yaml:"heartbeat-interval"`
	Logger                      string   `yaml:"logger"`
	LogOutputs                  []string `yaml:"log-outputs"`
	SnapshotCount               int      `yaml:"snapshot-count"`
	FeatureGates                string   `yaml:"feature-gates"`
	WatchProgressNotifyInterval int64    `yaml:"watch-progress-notify-interval"` // nanoseconds
}

type trust struct {
	CertFile       string `yaml:"cert-file"`
	KeyFile        string `yaml:"key-file"`
	ClientCertAuth bool   `yaml:"client-cert-auth"`
	TrustedCAFile  string `yaml:"trusted-ca-file"`
}

// founder is the initial cluster of a member that is the first.
func (m *Member) founder() string { return m.Name + "=" + m.PeerURL() }

// WriteConfig writes etcd's configuration for a member of the given initial cluster (NAME=URL,…), which is new or
// existing. Once the member has data, etcd no longer asks what its cluster was at first; the file then keeps it, so
// that it stays the same and etcd need not restart.
func (m *Member) WriteConfig(cluster, state string) error {
	if data, err := os.ReadFile(m.ConfigFile()); err == nil && m.Initialized() {
		var before settings
		if err := yaml.Unmarshal(data, &before); err == nil && before.Name == m.Name && !before.ForceNewCluster {
			cluster, state = before.InitialCluster, before.InitialClusterState
		}
	}
	return m.write(m.settings(cluster, state))
}

func (m *Member) write(s settings) error {
	content, err := yaml.Marshal(s)
	if err != nil {
		return err
	}
	return layout.Write(m.ConfigFile(), content, 0o600)
}

func (m *Member) settings(cluster, state string) settings {
	tls := func(file string) string { return m.Layout.TLS("etcd", file) }
	both := func(port int) string { return fmt.Sprintf("https://127.0.0.1:%d,https://%s:%d", port, m.Address, port) }
	return settings{
		Name:                        m.Name,
		DataDir:                     m.Layout.Etcd(),
		ListenClientURLs:            both(ClientPort),
		ListenClientHTTPURLs:        fmt.Sprintf("https://127.0.0.1:%d", HTTPPort),
		ListenMetricsURLs:           fmt.Sprintf("http://127.0.0.1:%d", MetricsPort),
		ListenPeerURLs:              both(PeerPort),
		AdvertiseClientURLs:         fmt.Sprintf("https://%s:%d", m.Address, ClientPort),
		InitialAdvertisePeerURLs:    m.PeerURL(),
		InitialCluster:              cluster,
		InitialClusterState:         state,
		ClientTransport:             trust{tls("server-client.crt"), tls("server-client.key"), true, tls("server-ca.crt")},
		PeerTransport:               trust{tls("peer-server-client.crt"), tls("peer-server-client.key"), true, tls("peer-ca.crt")},
		ElectionTimeout:             5000,
		HeartbeatInterval:           500,
		Logger:                      "zap",
		LogOutputs:                  []string{"stderr"},
		SnapshotCount:               10000,
		FeatureGates:                "InitialCorruptCheck=true",
		WatchProgressNotifyInterval: int64(5 * time.Second),
	}
}

// nodeOf is the name of the node whose member has this name.
func nodeOf(member string) string {
	if end := strings.LastIndexByte(member, '-'); end > 1 {
		return member[:end]
	}
	return member
}

// Restart prepares a member that has data.
func (m *Member) Restart() error { return m.WriteConfig(m.founder(), "existing") }
