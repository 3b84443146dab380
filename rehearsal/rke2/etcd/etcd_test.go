package etcd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"rehearsal/rke2/layout"
)

func newMember(t *testing.T) *Member {
	t.Helper()
	member, err := NewMember(layout.Layout{Data: t.TempDir()}, "node-1", "10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return member
}

func TestNameIsKept(t *testing.T) {
	first := newMember(t)
	second, err := NewMember(first.Layout, "node-1", "10.0.0.1")
	if err != nil || second.Name != first.Name || !strings.HasPrefix(first.Name, "node-1-") {
		t.Errorf("%q, then %q, %v", first.Name, second.Name, err)
	}
}

func TestInitialCluster(t *testing.T) {
	m := newMember(t)
	other := &etcdserverpb.Member{Name: "node-2-0a1b2c3d", PeerURLs: []string{"https://10.0.0.2:2380"}}
	for name, test := range map[string]struct {
		members []*etcdserverpb.Member
		cluster []string
		joined  bool
		fails   bool
	}{
		"not yet a member": {[]*etcdserverpb.Member{other}, []string{"node-2-0a1b2c3d=https://10.0.0.2:2380"}, false, false},
		"added, not started": {
			[]*etcdserverpb.Member{other, {PeerURLs: []string{m.PeerURL()}}},
			[]string{"node-2-0a1b2c3d=https://10.0.0.2:2380", m.founder()}, true, false,
		},
		"member under an older name": {[]*etcdserverpb.Member{other, {Name: "node-1-ffffffff", PeerURLs: []string{m.PeerURL()}}}, nil, false, true},
	} {
		cluster, joined, err := m.initialCluster(test.members)
		if !slices.Equal(cluster, test.cluster) || joined != test.joined || (err != nil) != test.fails {
			t.Errorf("%s: %q, %v, %v", name, cluster, joined, err)
		}
	}
}

func TestConfigStaysOnceThereIsData(t *testing.T) {
	m := newMember(t)
	read := func() string {
		data, err := os.ReadFile(m.ConfigFile())
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if err := m.Found(); err != nil {
		t.Fatal(err)
	}
	founded := read()
	if !strings.Contains(founded, "initial-cluster-state: new") {
		t.Errorf("founded with\n%s", founded)
	}
	if err := os.MkdirAll(m.Layout.Etcd("member", "wal"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := m.WriteConfig("somewhere=else", "existing"); err != nil {
		t.Fatal(err)
	}
	if read() != founded {
		t.Errorf("became\n%s", read())
	}
}

func TestSnapshotsListDeletePrune(t *testing.T) {
	s := &Snapshots{Member: newMember(t), Folder: t.TempDir()}
	for _, name := range []string{"a-node-1-300", "a-node-1-100", "a-node-1-200", "b-node-1-50", "a-other-10", "a-node-1-400.part"} {
		if err := os.WriteFile(filepath.Join(s.Folder, name), []byte("snapshot"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names := func() (all []string) {
		listed, err := s.List()
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range listed {
			all = append(all, one.Name)
		}
		return all
	}
	if got := names(); !slices.Equal(got, []string{"a-other-10", "b-node-1-50", "a-node-1-100", "a-node-1-200", "a-node-1-300"}) {
		t.Errorf("listed %q", got)
	}
	if deleted, err := s.Prune("a", 2); err != nil || !slices.Equal(deleted, []string{"a-node-1-100"}) {
		t.Errorf("pruned %q, %v", deleted, err)
	}
	if deleted, err := s.Delete([]string{"b-node-1-50", "missing"}); err != nil || !slices.Equal(deleted, []string{"b-node-1-50"}) {
		t.Errorf("deleted %q, %v", deleted, err)
	}
}
