package node

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"rehearsal/rke2/layout"
)

const (
	dialTimeout         = 2 * time.Second
	healthCheckInterval = 5 * time.Second
)

// LoadBalancer is an agent's way to the servers: it listens on the loopback address and passes connections on to one
// healthy server. What it knows of the servers it keeps in a file, so that the agent can start while the one in its
// configuration is down.
type LoadBalancer struct {
	name, file string
	listener   net.Listener

	mu          sync.Mutex
	servers     []string
	unhealthy   map[string]bool
	connections map[net.Conn]string // of the servers' side, by server
}

// NewLoadBalancer listens at address for the server given at first and those that file knows.
func NewLoadBalancer(name, address, file, first string) (*LoadBalancer, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	servers := []string{first}
	if data, err := os.ReadFile(file); err == nil {
		var kept []string
		if json.Unmarshal(data, &kept) == nil {
			servers = append(servers, slices.DeleteFunc(kept, func(server string) bool { return server == first })...)
		}
	}
	logrus.Infof("Running load balancer %s %s -> %v", name, address, servers)
	return &LoadBalancer{
		name: name, file: file, listener: listener, servers: servers,
		unhealthy: map[string]bool{}, connections: map[net.Conn]string{},
	}, nil
}

// Serve until the context ends.
func (b *LoadBalancer) Serve(ctx context.Context) {
	context.AfterFunc(ctx, func() { _ = b.listener.Close() })
	go b.checkHealth(ctx)
	for {
		client, err := b.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			logrus.Errorf("Load balancer %s: %v", b.name, err)
			continue
		}
		go b.proxy(client)
	}
}

// SetServers replaces the servers by those now known; none at all changes nothing.
func (b *LoadBalancer) SetServers(servers []string) {
	slices.Sort(servers)
	b.mu.Lock()
	known := slices.Sorted(slices.Values(b.servers))
	changed := len(servers) > 0 && !slices.Equal(known, servers)
	if changed {
		// Those that serve stay in front: connections need not move.
		kept := slices.DeleteFunc(slices.Clone(b.servers), func(server string) bool { return !slices.Contains(servers, server) })
		for _, server := range servers {
			if !slices.Contains(kept, server) {
				kept = append(kept, server)
			}
		}
		b.servers = kept
	}
	b.mu.Unlock()
	if !changed {
		return
	}
	logrus.Infof("Updated load balancer %s addresses -> %v", b.name, servers)
	data, err := json.Marshal(servers)
	if err == nil {
		err = layout.Write(b.file, data, 0o600)
	}
	if err != nil {
		logrus.Errorf("Load balancer %s: %v", b.name, err)
	}
}

// candidates are the servers to try, healthy ones first.
func (b *LoadBalancer) candidates() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	ordered := slices.Clone(b.servers)
	slices.SortStableFunc(ordered, func(x, y string) int {
		switch {
		case b.unhealthy[x] == b.unhealthy[y]:
			return 0
		case b.unhealthy[y]:
			return -1
		}
		return 1
	})
	return ordered
}

func (b *LoadBalancer) proxy(client net.Conn) {
	defer client.Close()
	for _, address := range b.candidates() {
		server, err := net.DialTimeout("tcp", address, dialTimeout)
		if err != nil {
			b.setHealth(address, err)
			continue
		}
		b.mu.Lock()
		b.connections[server] = address
		b.mu.Unlock()
		b.pipe(client, server)
		b.mu.Lock()
		delete(b.connections, server)
		b.mu.Unlock()
		return
	}
}

// pipe copies both ways until either side ends.
func (b *LoadBalancer) pipe(client, server net.Conn) {
	done := make(chan struct{}, 2)
	copying := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		done <- struct{}{}
	}
	go copying(server, client)
	go copying(client, server)
	<-done
	_, _ = client.Close(), server.Close()
	<-done
}

func (b *LoadBalancer) checkHealth(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(healthCheckInterval):
		}
		for _, address := range b.candidates() {
			connection, err := net.DialTimeout("tcp", address, dialTimeout)
			if err == nil {
				_ = connection.Close()
			}
			b.setHealth(address, err)
		}
	}
}

// setHealth notes whether a server could be reached. The connections of one that no longer can are closed, so that
// their clients come again and are led to another: a server that is parted from us ends none by itself.
func (b *LoadBalancer) setHealth(address string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unhealthy[address] == (err != nil) {
		return
	}
	b.unhealthy[address] = err != nil
	if err == nil {
		logrus.Infof("Server %s is healthy for load balancer %s", address, b.name)
		return
	}
	logrus.Warnf("Server %s is unhealthy for load balancer %s: %v", address, b.name, err)
	for connection, server := range b.connections {
		if server == address {
			_ = connection.Close()
		}
	}
}
