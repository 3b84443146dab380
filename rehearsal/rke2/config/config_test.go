package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// files writes name → content into a new folder and returns it.
func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range contents {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func known(flag string) bool { return flag != "made-up" }

func TestArgsMergesFilesInOrder(t *testing.T) {
	folder := files(t, map[string]string{
		"config.yaml":              "token: a:b\nwrite-kubeconfig-mode: \"0644\"\ntls-san: [one, two]\ncluster-init: true\nmade-up: 1\nserver:\n",
		"config.yaml.d/20.yaml":    "disable+: rke2-ingress-nginx\ntls-san+:\n  - three\n",
		"config.yaml.d/10.yaml":    "token: second\ndisable: [rke2-canal]\n",
		"config.yaml.d/ignored.md": "token: third\n",
	})
	args, unknown, err := Args(filepath.Join(folder, "config.yaml"), known)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"--token=second", "--write-kubeconfig-mode=0644", "--tls-san=one", "--tls-san=two", "--tls-san=three",
		"--cluster-init=true", "--disable=rke2-canal", "--disable=rke2-ingress-nginx",
	}
	if !slices.Equal(args, want) {
		t.Errorf("arguments\n got %q\nwant %q", args, want)
	}
	if !slices.Equal(unknown, []string{"made-up"}) {
		t.Errorf("unknown: %q", unknown)
	}
}

func TestArgsWithoutFiles(t *testing.T) {
	args, unknown, err := Args(filepath.Join(t.TempDir(), "config.yaml"), known)
	if len(args)+len(unknown) != 0 || err != nil {
		t.Errorf("got %q, %q, %v", args, unknown, err)
	}
}

func TestArgsRefusesWhatIsNoConfiguration(t *testing.T) {
	for _, content := range []string{"- a\n- list\n", "key: [unclosed\n", "tls-san: {a: mapping}\n"} {
		folder := files(t, map[string]string{"config.yaml": content})
		if args, _, err := Args(filepath.Join(folder, "config.yaml"), known); err == nil {
			t.Errorf("%q was read as %q", content, args)
		}
	}
}
