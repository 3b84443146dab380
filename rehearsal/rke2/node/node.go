package node

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"rehearsal/rke2/kubeapi"
	"rehearsal/rke2/layout"
	"rehearsal/rke2/pki"
	"rehearsal/rke2/release"
	"rehearsal/rke2/staticpod"
	"rehearsal/rke2/supervisor"
)

// systemResolvConf is the machine's; those of the rehearsal have none.
const systemResolvConf = "/etc/resolv.conf"

// Node is one machine's part of the cluster.
type Node struct {
	Layout layout.Layout
	// Name and IP by which it registers.
	Name, IP string
	// Labels and Taints that it registers with.
	Labels, Taints []string
	// KubeletArgs are --flag=value for the kubelet, over our own.
	KubeletArgs []string
	// APIServer is what the kubelet talks to, as https://127.0.0.1:6443.
	APIServer string

	config   supervisor.NodeConfig
	children sync.WaitGroup
}

// Prepare fetches the node's configuration and certificates from a supervisor and writes its kubeconfigs.
func (n *Node) Prepare(ctx context.Context, from *supervisor.Client) error {
	if err := from.GetJSON(ctx, "/v1-rke2/config", &n.config); err != nil {
		return err
	}
	for _, name := range []string{"client-ca.crt", "server-ca.crt"} {
		bundle, err := from.Get(ctx, "/v1-rke2/"+name)
		if err != nil {
			return err
		}
		if err := layout.Write(n.Layout.Agent(name), bundle, 0o600); err != nil {
			return err
		}
	}
	for _, name := range []string{"client-kubelet", "serving-kubelet"} {
		key, err := pki.EnsureKey(n.Layout.Agent(name + ".key"))
		if err != nil {
			return err
		}
		certificate, err := from.Certificate(ctx, "/v1-rke2/"+name+".crt", n.Name, n.IP, key.Public())
		if err != nil {
			return err
		}
		if err := layout.Write(n.Layout.Agent(name+".crt"), certificate, 0o600); err != nil {
			return err
		}
	}
	kubeconfig := kubeapi.Config{
		Server: n.APIServer, CA: n.Layout.Agent("server-ca.crt"),
		Certificate: n.Layout.Agent("client-kubelet.crt"), Key: n.Layout.Agent("client-kubelet.key"),
	}
	if err := layout.Write(n.Layout.Agent("kubelet.kubeconfig"), kubeconfig.YAML(), 0o600); err != nil {
		return err
	}
	if !layout.Exists(systemResolvConf) {
		// The kubelet makes no pod without one. RKE2 writes this where the machine's is of no use to pods.
		if err := layout.Write(n.Layout.Agent("etc/resolv.conf"), []byte("nameserver 8.8.8.8\n"), 0o644); err != nil {
			return err
		}
	}
	crictl := "runtime-endpoint: unix://" + n.Layout.ContainerdSocket() + "\n"
	if err := layout.Write(n.Layout.Agent("etc/crictl.yaml"), []byte(crictl), 0o644); err != nil {
		return err
	}
	return os.MkdirAll(n.Layout.Agent("pod-manifests"), 0o700)
}

// StartContainerd starts the container runtime, which adopts the containers that run, and waits until it answers and
// has the images of agent/images.
func (n *Node) StartContainerd(ctx context.Context) (*staticpod.Runtime, error) {
	logFile := n.Layout.Agent("containerd/containerd.log")
	logrus.Infof("Logging containerd to %s", logFile)
	n.supervise(ctx, "containerd", logFile, []string{
		"--root", n.Layout.Agent("containerd"), "--state", n.Layout.ContainerdState,
		"--address", n.Layout.ContainerdSocket(), "--images", n.Layout.Images,
	})
	runtime, err := staticpod.Connect(n.Layout.ContainerdSocket())
	if err != nil {
		return nil, err
	}
	if err := Poll(ctx, "Waiting for containerd startup", runtime.Ready); err != nil {
		return nil, err
	}
	logrus.Info("containerd is now running")
	images := importer{n.Layout, map[string]int64{}}
	images.look()
	go images.watch(ctx)
	return runtime, nil
}

// StartKubelet starts the kubelet.
func (n *Node) StartKubelet(ctx context.Context) {
	n.supervise(ctx, "kubelet", n.Layout.Agent("logs/kubelet.log"), n.kubeletArgs())
}

func (n *Node) supervise(ctx context.Context, program, logFile string, args []string) {
	logrus.Infof("Running %s %s", program, strings.Join(args, " "))
	n.children.Add(1)
	go func() {
		defer n.children.Done()
		if err := Supervise(ctx, n.Layout, program, logFile, args); err != nil {
			logrus.Errorf("%s: %v", program, err)
		}
	}()
}

// Wait until containerd and the kubelet have ended, after their contexts have.
func (n *Node) Wait() { n.children.Wait() }

func (n *Node) kubeletArgs() []string {
	args := []string{
		"--address=0.0.0.0", "--anonymous-auth=false", "--authentication-token-webhook=true", "--authorization-mode=Webhook",
		"--client-ca-file=" + n.Layout.Agent("client-ca.crt"),
		"--cluster-dns=" + n.config.ClusterDNS, "--cluster-domain=" + n.config.ClusterDomain,
		"--container-runtime-endpoint=unix://" + n.Layout.ContainerdSocket(),
		"--eviction-hard=imagefs.available<5%,nodefs.available<5%",
		"--eviction-minimum-reclaim=imagefs.available=10%,nodefs.available=10%",
		"--fail-swap-on=false", "--file-check-frequency=5s", "--healthz-bind-address=127.0.0.1",
		"--hostname-override=" + n.Name, "--kubeconfig=" + n.Layout.Agent("kubelet.kubeconfig"),
		"--node-ip=" + n.IP, "--pod-manifest-path=" + n.Layout.Agent("pod-manifests"), "--read-only-port=0",
		"--serialize-image-pulls=false", "--sync-frequency=30s",
		"--tls-cert-file=" + n.Layout.Agent("serving-kubelet.crt"), "--tls-private-key-file=" + n.Layout.Agent("serving-kubelet.key"),
		"--volume-plugin-dir=/var/lib/kubelet/volumeplugins",
	}
	if !layout.Exists(systemResolvConf) {
		args = append(args, "--resolv-conf="+n.Layout.Agent("etc/resolv.conf"))
	}
	if len(n.Labels) > 0 {
		args = append(args, "--node-labels="+strings.Join(n.Labels, ","))
	}
	if len(n.Taints) > 0 {
		args = append(args, "--register-with-taints="+strings.Join(n.Taints, ","))
	}
	return MergeArgs(args, n.KubeletArgs)
}

// Registered is nil once this node's kubelet is healthy and the API knows it by this release's version.
func (n *Node) Registered(ctx context.Context, api *kubeapi.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:10248/healthz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("kubelet: %s", response.Status)
	}
	body, err := api.Get(ctx, "/api/v1/nodes/"+n.Name)
	if err != nil {
		return err
	}
	var registered struct {
		Status struct {
			NodeInfo struct {
				KubeletVersion string `json:"kubeletVersion"`
			} `json:"nodeInfo"`
		} `json:"status"`
	}
	if err := json.Unmarshal(body, &registered); err != nil {
		return err
	}
	if version := registered.Status.NodeInfo.KubeletVersion; !strings.HasPrefix(version, release.Kubernetes()) {
		return fmt.Errorf("node %s is registered as %s", n.Name, version)
	}
	return nil
}

// MergeArgs puts extra --flag=value arguments (dashes optional) in the place of our own for the same flag.
func MergeArgs(args, extra []string) []string {
	flag := func(arg string) string {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return name
	}
	replaced := map[string]bool{}
	for _, arg := range extra {
		replaced[flag(arg)] = true
	}
	var merged []string
	for _, arg := range args {
		if !replaced[flag(arg)] {
			merged = append(merged, arg)
		}
	}
	for _, arg := range extra {
		merged = append(merged, "--"+strings.TrimLeft(arg, "-"))
	}
	return merged
}
