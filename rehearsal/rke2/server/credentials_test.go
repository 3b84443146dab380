package server

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"rehearsal/rke2/layout"
)

// A token that lies on disk from before is not the one to join with.
func TestJoiningWithoutDataNeedsATokenInTheConfig(t *testing.T) {
	data := t.TempDir()
	c := &Config{Layout: layout.Layout{Data: data}, JoinURL: "https://127.0.0.1:1"}
	if err := os.MkdirAll(filepath.Join(data, "server"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "server/token"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const refused = "RKE2_TOKEN is required to join a cluster"
	if _, err := ensureCredentials(context.Background(), c); err == nil || err.Error() != refused {
		t.Fatalf("%v, want %q", err, refused)
	}
	if err := os.MkdirAll(c.Layout.Etcd("member", "wal"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := ensureCredentials(context.Background(), c); err != nil && err.Error() == refused {
		t.Fatal("asked of a member that has its data")
	}
}
