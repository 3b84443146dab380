package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"

	"rehearsal/rke2/agent"
	"rehearsal/rke2/layout"
	"rehearsal/rke2/node"
	"rehearsal/rke2/release"
	"rehearsal/rke2/server"
)

// nodeFlags are those of both services.
func nodeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "server", Aliases: []string{"s"}, EnvVars: []string{"RKE2_URL"}, Usage: "(cluster) Server to connect to, used to join a cluster"},
		&cli.StringFlag{Name: "token", Aliases: []string{"t"}, EnvVars: []string{"RKE2_TOKEN"}, Usage: "(cluster) Shared secret used to join a server or agent to a cluster"},
		&cli.StringFlag{Name: "token-file", EnvVars: []string{"RKE2_TOKEN_FILE"}, Usage: "(cluster) File containing the token"},
		&cli.StringFlag{Name: "node-name", EnvVars: []string{"RKE2_NODE_NAME"}, Usage: "(agent/node) Node name"},
		&cli.StringSliceFlag{Name: "node-ip", Aliases: []string{"i"}, Usage: "(agent/networking) IPv4 address to advertise for node"},
		&cli.StringSliceFlag{Name: "node-label", Usage: "(agent/node) Registering and starting kubelet with set of labels"},
		&cli.StringSliceFlag{Name: "node-taint", Usage: "(agent/node) Registering kubelet with set of taints"},
		&cli.StringSliceFlag{Name: "kubelet-arg", Usage: "(agent/flags) Customized flag for kubelet process"},
		&cli.BoolFlag{Name: "debug", Usage: "(logging) Turn on debug logs"},
	}
}

func serverCommand() *cli.Command {
	flags := append(nodeFlags(),
		&cli.StringSliceFlag{Name: "tls-san", Usage: "(listener) Add additional hostnames or IPv4/IPv6 addresses as Subject Alternative Names on the server TLS cert"},
		&cli.BoolFlag{Name: "cluster-init", Usage: "(cluster) Initialize a new cluster using embedded Etcd; RKE2's default"},
		&cli.StringFlag{Name: "write-kubeconfig-mode", EnvVars: []string{"RKE2_KUBECONFIG_MODE"}, Usage: "(client) Write kubeconfig with this mode"},
		&cli.StringSliceFlag{Name: "ingress-controller", Usage: "(networking) Ingress Controllers to deploy, one of none, ingress-nginx, traefik"},
		&cli.StringSliceFlag{Name: "disable", Usage: "(components) Do not deploy packaged components and delete any deployed components"},
		&cli.StringSliceFlag{Name: "cni", Usage: "(networking) CNI Plugins to deploy; only canal is here"},
		&cli.BoolFlag{Name: "etcd-disable-snapshots", Usage: "(db) Disable automatic etcd snapshots; there are none here"},
		&cli.StringFlag{Name: "etcd-snapshot-schedule-cron", Usage: "(db) Snapshot interval time in cron spec; not followed here"},
		&cli.StringFlag{Name: "etcd-snapshot-name", Usage: "(db) Set the base name of etcd snapshots"},
		&cli.IntFlag{Name: "etcd-snapshot-retention", Value: 5, Usage: "(db) Number of snapshots to retain"},
		&cli.StringFlag{Name: "etcd-snapshot-dir", Usage: "(db) Directory to save db snapshots"},
		&cli.BoolFlag{Name: "cluster-reset", Usage: "(cluster) Forget all peers and become sole member of a new cluster"},
		&cli.StringFlag{Name: "cluster-reset-restore-path", Usage: "(db) Path to snapshot file to be restored"},
	)
	for _, program := range componentArgs {
		flags = append(flags, &cli.StringSliceFlag{Name: program + "-arg", Usage: "(flags) Customized flag for " + program + " process"})
	}
	return &cli.Command{Name: "server", Usage: "Run management server", Flags: flags, Action: runServer}
}

// componentArgs are the programs whose flags can be customized.
var componentArgs = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"}

func agentCommand() *cli.Command {
	return &cli.Command{Name: "agent", Usage: "Run node agent", Flags: nodeFlags(), Action: runAgent}
}

func runServer(c *cli.Context) error {
	if err := prologue(c); err != nil {
		return err
	}
	if c.String("cluster-reset-restore-path") != "" && !c.Bool("cluster-reset") {
		return errors.New("invalid flag use; --cluster-reset required with --cluster-reset-restore-path")
	}
	joined, thisNode, err := common(c)
	if err != nil {
		return err
	}
	config := &server.Config{
		Layout: layout.Default, JoinURL: c.String("server"), Token: joined,
		TLSSANs: c.StringSlice("tls-san"), KubeconfigMode: c.String("write-kubeconfig-mode"),
		IngressController: c.StringSlice("ingress-controller"), Disable: c.StringSlice("disable"),
		ChartsCrashBetween: readKnobs().ChartsCrashBetweenServers,
		SnapshotFolder:     c.String("etcd-snapshot-dir"), SnapshotRetention: c.Int("etcd-snapshot-retention"),
		ExtraArgs: map[string][]string{}, Node: thisNode,
	}
	for _, program := range componentArgs {
		config.ExtraArgs[program] = c.StringSlice(program + "-arg")
	}
	logrus.Infof("Starting rke2 %s (%s)", release.Version, release.Commit)
	if c.Bool("cluster-reset") {
		return server.Reset(c.Context, config, c.String("cluster-reset-restore-path"))
	}
	if err := server.Run(c.Context, config); err != nil {
		return fmt.Errorf("starting kubernetes: %w", err)
	}
	return nil
}

func runAgent(c *cli.Context) error {
	if err := prologue(c); err != nil {
		return err
	}
	joined, thisNode, err := common(c)
	if err != nil {
		return err
	}
	logrus.Infof("Starting rke2 agent %s (%s)", release.Version, release.Commit)
	return agent.Run(c.Context, &agent.Config{Layout: layout.Default, JoinURL: c.String("server"), Token: joined, Node: thisNode})
}

// common reads the flags of both services: the token and this node's properties.
func common(c *cli.Context) (joined string, thisNode *node.Node, err error) {
	if c.Args().Present() {
		return "", nil, errors.New("this command does not take any arguments")
	}
	joined = c.String("token")
	if file := c.String("token-file"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", nil, err
		}
		joined = strings.TrimSpace(string(text))
	}
	thisNode = &node.Node{
		Layout: layout.Default, Name: strings.ToLower(c.String("node-name")),
		Labels: c.StringSlice("node-label"), Taints: c.StringSlice("node-taint"), KubeletArgs: c.StringSlice("kubelet-arg"),
		// On a server its own API server, on an agent the load balancer.
		APIServer: "https://127.0.0.1:6443",
	}
	if thisNode.Name == "" {
		if thisNode.Name, err = os.Hostname(); err != nil {
			return "", nil, err
		}
	}
	if addresses := c.StringSlice("node-ip"); len(addresses) > 0 {
		thisNode.IP = addresses[0]
		return joined, thisNode, nil
	}
	thisNode.IP, err = server.DefaultAddress()
	return joined, thisNode, err
}

// knobs are what the rehearsal has this machine's RKE2 do beyond the real one.
type knobs struct {
	ServiceStartDelaySeconds  float64
	ChartsCrashBetweenServers bool
}

func readKnobs() (k knobs) {
	if data, err := os.ReadFile("/etc/rehearsal/node.json"); err == nil {
		if err := json.Unmarshal(data, &k); err != nil {
			logrus.Warnf("/etc/rehearsal/node.json: %v", err)
		}
	}
	return k
}

// prologue is a service's first steps, and what the rehearsal adds to them: a delay that stands for a slow machine, and a fault.
func prologue(c *cli.Context) error {
	if os.Getuid() != 0 {
		return fmt.Errorf("%s must run as root", c.Command.Name)
	}
	if c.Bool("debug") {
		logrus.SetLevel(logrus.DebugLevel)
	}
	settings := readKnobs()
	if delay := time.Duration(settings.ServiceStartDelaySeconds * float64(time.Second)); delay > 0 {
		select {
		case <-c.Context.Done():
			return nil
		case <-time.After(delay):
		}
	}
	if layout.Exists("/etc/rehearsal/faults/service-fails") {
		logrus.Infof("Starting rke2 %s (%s)", release.Version, release.Commit)
		return errors.New("failed to extract runtime image: failed to pull images: write " +
			layout.Default.Data + "/data: no space left on device")
	}
	return layout.Default.Prepare()
}
