package node

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rehearsal/rke2/layout"
	"rehearsal/rke2/release"
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

// archiveOf writes an archive of images that names some.
func archiveOf(t *testing.T, file string, images ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	created, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	zipped := gzip.NewWriter(created)
	members := tar.NewWriter(zipped)
	manifest := fmt.Sprintf(`[{"RepoTags":["docker.io/%s"]}]`, strings.Join(images, `"]},{"RepoTags":["docker.io/`))
	if err := members.WriteHeader(&tar.Header{Name: "manifest.json", Size: int64(len(manifest)), Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(members, manifest)
	for _, one := range []io.Closer{members, zipped, created} {
		if err := one.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStageWithoutARegistryNeedsTheReleasesArchive(t *testing.T) {
	l := layout.Layout{Data: t.TempDir(), Images: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(l.Images, "hardened-kubernetes", release.Kubernetes(), "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	registryDown = filepath.Join(t.TempDir(), "registry-down")
	if err := os.WriteFile(registryDown, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	archive := l.Agent("images", "rke2-images.linux-amd64.tar.gz")
	for _, named := range []string{"", "rancher/hardened-kubernetes:v1.0.0-rke2r1-build1"} {
		if named != "" {
			archiveOf(t, archive, named)
		}
		if err := StageBinaries(l); err == nil {
			t.Errorf("staged with an archive of %q", named)
		}
	}
	archiveOf(t, archive, release.KubernetesImage())
	if err := StageBinaries(l); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(archive); err != nil {
		t.Fatal(err)
	}
	if err := StageBinaries(l); err != nil {
		t.Errorf("what was extracted is asked for again: %v", err)
	}
}

func TestImportsArchivesThatComeAndChange(t *testing.T) {
	l := layout.Layout{Data: t.TempDir()}
	images := importer{l, map[string]int64{}}
	archive := l.Agent("images", "rke2-upgrade-1.tar.gz")
	// imported takes what is left for containerd, as that does.
	imported := func() string {
		t.Helper()
		images.look()
		list := l.Agent("containerd", "imported", filepath.Base(archive))
		names, _ := os.ReadFile(list)
		_ = os.Remove(list)
		return string(names)
	}
	if got := imported(); got != "" {
		t.Errorf("without a folder: %q", got)
	}
	archiveOf(t, archive, "rancher/a:v1", "rancher/b:v1")
	if got := imported(); got != "docker.io/rancher/a:v1\ndocker.io/rancher/b:v1\n" {
		t.Errorf("new: %q", got)
	}
	if got := imported(); got != "" {
		t.Errorf("imported again: %q", got)
	}
	archiveOf(t, archive, "rancher/a:v1", "rancher/b:v1", "rancher/c:v12345")
	if got := imported(); !strings.Contains(got, "rancher/c:v12345") {
		t.Errorf("changed: %q", got)
	}
	if err := os.Remove(archive); err != nil {
		t.Fatal(err)
	}
	if got := imported(); got != "" {
		t.Errorf("gone: %q", got)
	}
	archiveOf(t, archive, "rancher/a:v1", "rancher/b:v1", "rancher/c:v12345")
	if got := imported(); got == "" {
		t.Error("one that came back was not imported")
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
