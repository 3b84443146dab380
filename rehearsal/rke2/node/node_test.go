package node

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rehearsal/rke2/layout"
)

func TestMergeArgs(t *testing.T) {
	got := MergeArgs([]string{"--a=1", "--b=2", "--c=3"}, []string{"b=4", "--d=5"})
	if want := []string{"--a=1", "--c=3", "--b=4", "--d=5"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestStageNeedsTheImage(t *testing.T) {
	if err := StageBinaries(layout.Layout{Data: t.TempDir(), Images: t.TempDir()}); err == nil {
		t.Error("staged a release that is not there")
	}
}

// echo serves its name to every connection and keeps it open.
func echo(t *testing.T, name string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(connection, name)
		}
	}()
	return listener
}

func ask(t *testing.T, address string) string {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	answer := make([]byte, 1)
	_, _ = io.ReadFull(connection, answer)
	return string(answer)
}

func TestLoadBalancerLeadsPastADeadServer(t *testing.T) {
	first, second := echo(t, "1"), echo(t, "2")
	file := filepath.Join(t.TempDir(), "etc/servers.json")
	balancer, err := NewLoadBalancer("test", "127.0.0.1:0", file, first.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go balancer.Serve(ctx)
	address := balancer.listener.Addr().String()
	if got := ask(t, address); got != "1" {
		t.Errorf("led to %q", got)
	}
	balancer.SetServers([]string{first.Addr().String(), second.Addr().String()})
	_ = first.Close()
	if got := ask(t, address); got != "2" {
		t.Errorf("with the first dead led to %q", got)
	}
	again, err := NewLoadBalancer("again", "127.0.0.1:0", file, first.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer again.listener.Close()
	if !slices.Contains(again.candidates(), second.Addr().String()) {
		t.Errorf("a new one knows %q", again.candidates())
	}
}
