// Package agent is an agent node: a kubelet and its runtime, and load balancers that lead them to the servers.
package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/sirupsen/logrus"

	"rehearsal/rke2/kubeapi"
	"rehearsal/rke2/layout"
	"rehearsal/rke2/node"
	"rehearsal/rke2/supervisor"
	"rehearsal/rke2/token"
)

// Addresses of an agent's load balancers.
const (
	supervisorAddress = "127.0.0.1:6444"
	apiServerAddress  = "127.0.0.1:6443"
)

// refreshInterval of the list of servers.
const refreshInterval = 5 * time.Second

// Config of an agent, from its command line and configuration file.
type Config struct {
	Layout layout.Layout
	// JoinURL of a server, as https://HOST:9345, and the cluster's token.
	JoinURL, Token string
	Node           *node.Node
}

// Run is the agent until the context ends. An error is fatal to it. Its containers outlive it.
func Run(ctx context.Context, c *Config) error {
	if c.Token == "" {
		return errors.New("--token is required")
	}
	if c.JoinURL == "" {
		return errors.New("--server is required")
	}
	with, err := token.Parse(c.Token)
	if err != nil {
		return err
	}
	first, err := url.Parse(c.JoinURL)
	if err != nil || first.Hostname() == "" {
		return fmt.Errorf("--server %q: not a URL as https://HOST:9345", c.JoinURL)
	}
	ctx, cancel := context.WithCancel(ctx)
	err = start(ctx, c, with, first)
	if err == nil {
		<-ctx.Done()
	} else if ctx.Err() != nil {
		err = nil // told to stop in the middle of its start
	}
	cancel()
	c.Node.Wait()
	return err
}

func start(ctx context.Context, c *Config, with token.Token, first *url.URL) error {
	if err := node.StageBinaries(c.Layout); err != nil {
		return err
	}
	port := first.Port()
	if port == "" {
		port = strconv.Itoa(supervisor.Port)
	}
	supervisors, err := balance(ctx, c, "rke2-agent-load-balancer", supervisorAddress, net.JoinHostPort(first.Hostname(), port))
	if err != nil {
		return err
	}
	apiServers, err := balance(ctx, c, "rke2-api-server-agent-load-balancer", apiServerAddress, net.JoinHostPort(first.Hostname(), "6443"))
	if err != nil {
		return err
	}
	var client *supervisor.Client
	if err := node.Poll(ctx, "Waiting to retrieve agent configuration; server is not ready", func(ctx context.Context) error {
		if client, err = supervisor.Connect(ctx, "https://"+supervisorAddress, with, token.Node); err != nil {
			return err
		}
		return c.Node.Prepare(ctx, client)
	}); err != nil {
		return err
	}
	go refresh(ctx, client, apiServers, supervisors)

	runtime, err := c.Node.StartContainerd(ctx)
	if err != nil {
		return err
	}
	if err := runtime.Close(); err != nil {
		return err
	}
	if err := removeControlPlane(c.Layout); err != nil {
		return err
	}
	c.Node.StartKubelet(ctx)
	api, err := kubeapi.New(kubeapi.Config{
		Server: c.Node.APIServer, CA: c.Layout.Agent("server-ca.crt"),
		Certificate: c.Layout.Agent("client-kubelet.crt"), Key: c.Layout.Agent("client-kubelet.key"),
	})
	if err != nil {
		return err
	}
	if err := node.Poll(ctx, "Waiting for node "+c.Node.Name+" to register", func(ctx context.Context) error {
		return c.Node.Registered(ctx, api)
	}); err != nil {
		return err
	}
	logrus.Info("rke2 agent is up and running")
	if _, err := daemon.SdNotify(true, "READY=1\n"); err != nil {
		logrus.Warnf("Failed to notify systemd: %v", err)
	}
	return nil
}

func balance(ctx context.Context, c *Config, name, address, first string) (*node.LoadBalancer, error) {
	balancer, err := node.NewLoadBalancer(name, address, c.Layout.Agent("etc", name+".json"), first)
	if err != nil {
		return nil, err
	}
	go balancer.Serve(ctx)
	return balancer, nil
}

// refresh keeps the load balancers' lists of servers up to date: those whose API server is ready.
func refresh(ctx context.Context, client *supervisor.Client, apiServers, supervisors *node.LoadBalancer) {
	for {
		var addresses []string
		asking, cancel := context.WithTimeout(ctx, refreshInterval)
		err := client.GetJSON(asking, "/v1-rke2/apiservers", &addresses)
		cancel()
		if err != nil {
			logrus.Debugf("Failed to refresh the list of servers: %v", err)
		}
		var beside []string
		for _, address := range addresses {
			if host, _, err := net.SplitHostPort(address); err == nil {
				beside = append(beside, net.JoinHostPort(host, strconv.Itoa(supervisor.Port)))
			}
		}
		apiServers.SetServers(addresses)
		supervisors.SetServers(beside)
		select {
		case <-ctx.Done():
			return
		case <-time.After(refreshInterval):
		}
	}
}

// removeControlPlane removes manifests of a machine that was a server once.
func removeControlPlane(l layout.Layout) error {
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		if err := os.Remove(filepath.Join(l.Agent("pod-manifests"), name+".yaml")); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
