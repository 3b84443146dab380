package server

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/sirupsen/logrus"

	"rehearsal/rke2/charts"
	"rehearsal/rke2/etcd"
	"rehearsal/rke2/kubeapi"
	"rehearsal/rke2/layout"
	"rehearsal/rke2/node"
	"rehearsal/rke2/staticpod"
	"rehearsal/rke2/supervisor"
	"rehearsal/rke2/token"
)

// server that is starting or running.
type server struct {
	config *Config
	token  token.Token
	member *etcd.Member
	api    *kubeapi.Client
}

// Run is the server until the context ends. An error is fatal to it. Its containers outlive it.
func Run(ctx context.Context, config *Config) error {
	s := &server{config: config}
	if err := s.prepare(ctx); err != nil {
		return fmt.Errorf("preparing server: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if err := s.supervisor().Serve(ctx); err != nil {
			cancel(fmt.Errorf("supervisor: %w", err))
		}
	}()
	err := s.start(ctx)
	if err == nil {
		<-ctx.Done()
	}
	if cause := context.Cause(ctx); ctx.Err() != nil && cause != context.Canceled {
		err = cause
	} else if ctx.Err() != nil {
		err = nil // told to stop, also in the middle of its start
	}
	cancel(nil)
	s.config.Node.Wait()
	return err
}

// prepare leaves everything on disk that the server's programs need, and this node a member of etcd.
func (s *server) prepare(ctx context.Context) (err error) {
	c := s.config
	if s.token, err = ensureCredentials(ctx, c); err != nil {
		return err
	}
	if err := ensureCertificates(c); err != nil {
		return err
	}
	if err := writeKubeconfigs(c); err != nil {
		return err
	}
	if s.member, err = etcd.NewMember(c.Layout, c.Node.Name, c.Node.IP); err != nil {
		return err
	}
	if s.api, err = kubeapi.New(clientConfig(c.Layout, "client-supervisor")); err != nil {
		return err
	}
	switch {
	case s.member.Initialized():
		logrus.Info("Managed etcd cluster bootstrap already complete and initialized")
		return s.member.Restart()
	case c.JoinURL == "":
		return s.member.Found()
	}
	client, err := supervisor.Connect(ctx, c.JoinURL, s.token, token.Server)
	if err != nil {
		return err
	}
	var members []string
	if err := client.GetJSON(ctx, "/db/info", &members); err != nil {
		return err
	}
	return s.member.Join(ctx, members)
}

func (s *server) supervisor() *supervisor.Server {
	return &supervisor.Server{
		Layout: s.config.Layout, Token: s.token,
		Snapshots:         &etcd.Snapshots{Member: s.member, Folder: s.config.snapshotFolder()},
		SnapshotRetention: s.config.SnapshotRetention,
		ClusterDNS:        clusterDNS, ClusterDomain: clusterDomain,
		Ready: s.api.Ready, APIServers: s.api.Servers,
	}
}

// start brings the node up, in RKE2's order: the runtime, etcd, the API server, the rest.
func (s *server) start(ctx context.Context) error {
	c := s.config
	if err := node.StageBinaries(c.Layout); err != nil {
		return err
	}
	own := fmt.Sprintf("https://127.0.0.1:%d", supervisor.Port)
	if err := node.Poll(ctx, "Waiting to retrieve agent configuration", func(ctx context.Context) error {
		client, err := supervisor.Connect(ctx, own, s.token, token.Node)
		if err != nil {
			return err
		}
		return c.Node.Prepare(ctx, client)
	}); err != nil {
		return err
	}
	runtime, err := c.Node.StartContainerd(ctx)
	if err != nil {
		return err
	}
	defer runtime.Close()
	pods := controlPlane{c, s.member}
	if err := s.removeOutdated(ctx, runtime, pods); err != nil {
		return err
	}
	if err := s.run(pods.etcd()); err != nil {
		return err
	}
	c.Node.StartKubelet(ctx)
	if err := node.Poll(ctx, "Waiting for etcd server to become available", s.member.Ready); err != nil {
		return err
	}
	logrus.Info("ETCD server is now running")
	go s.member.PromoteLearners(ctx)
	if err := s.run(pods.apiServer()); err != nil {
		return err
	}
	logrus.Info("Waiting for API server to become available")
	if err := node.Poll(ctx, "Waiting for API server to become available", s.api.Ready); err != nil {
		return err
	}
	logrus.Info("Kube API server is now running")
	for _, pod := range []staticpod.Pod{pods.controllerManager(), pods.scheduler()} {
		if err := s.run(pod); err != nil {
			return err
		}
	}
	if err := node.Poll(ctx, "Waiting for node "+c.Node.Name+" to register", func(ctx context.Context) error {
		return c.Node.Registered(ctx, s.api)
	}); err != nil {
		return err
	}
	if err := s.labelNode(ctx); err != nil {
		logrus.Errorf("Unable to set control-plane role label: %v", err)
	}
	if err := os.Remove(resetFlag(c.Layout)); err != nil && !os.IsNotExist(err) {
		return err
	}
	logrus.Info("rke2 is up and running")
	if _, err := daemon.SdNotify(true, "READY=1\n"); err != nil {
		logrus.Warnf("Failed to notify systemd: %v", err)
	}
	go charts.Deploy(ctx, charts.Deployer{
		Layout: c.Layout, NodeName: c.Node.Name, Member: s.member,
		IngressController: c.IngressController, Disable: c.Disable,
		CrashBetween: c.ChartsCrashBetween,
	})
	return nil
}

// removeOutdated ends the control plane's pods that do not run as this release wants them, and removes the manifests
// of all that do not run, so that the kubelet starts each only when what it needs is there. The API server goes first,
// and also where only etcd is outdated: it must not serve without its etcd.
func (s *server) removeOutdated(ctx context.Context, runtime *staticpod.Runtime, pods controlPlane) error {
	current := func(pod staticpod.Pod) (bool, error) {
		_, uid, err := pod.Render()
		if err != nil {
			return false, err
		}
		return runtime.Running(ctx, pod.Name, uid)
	}
	etcdCurrent, err := current(pods.etcd())
	if err != nil {
		return err
	}
	for _, pod := range []staticpod.Pod{pods.apiServer(), pods.controllerManager(), pods.scheduler(), pods.etcd()} {
		isCurrent, err := current(pod)
		if err != nil {
			return err
		}
		if isCurrent && (etcdCurrent || pod.Name != "kube-apiserver") {
			continue
		}
		if err := runtime.Remove(ctx, pod.Name); err != nil {
			return err
		}
		if err := os.Remove(s.manifest(pod.Name)); err == nil {
			logrus.Infof("Removed %s static pod manifest", pod.Name)
		} else if !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// run writes a pod's manifest, for the kubelet to run.
func (s *server) run(pod staticpod.Pod) error {
	content, _, err := pod.Render()
	if err != nil {
		return err
	}
	logrus.Infof("Running %s %s", pod.Name, strings.Join(pod.Args, " "))
	return layout.Write(s.manifest(pod.Name), content, 0o600)
}

func (s *server) manifest(name string) string {
	return s.config.Layout.Agent("pod-manifests", name+".yaml")
}

// labelNode gives this node the roles and annotations that a kubelet may not give itself.
func (s *server) labelNode(ctx context.Context) error {
	patch := fmt.Sprintf(`{"metadata":{"labels":{`+
		`"node-role.kubernetes.io/control-plane":"true","node-role.kubernetes.io/etcd":"true"},`+
		`"annotations":{"etcd.rke2.cattle.io/node-name":%q,"etcd.rke2.cattle.io/node-address":%q,`+
		`"rke2.io/hostname":%q,"rke2.io/internal-ip":%q}}}`,
		s.member.Name, s.config.Node.IP, s.config.Node.Name, s.config.Node.IP)
	_, err := charts.Kubectl(ctx, s.config.Layout, nil, "patch", "node", s.config.Node.Name, "--type=merge", "--patch="+patch)
	return err
}

// sorted is a copy in order: a pod's arguments must not change from one start to the next.
func sorted(args []string) []string {
	ordered := slices.Clone(args)
	slices.Sort(ordered)
	return ordered
}
