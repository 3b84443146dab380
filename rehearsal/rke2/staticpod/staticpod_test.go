package staticpod

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestRenderIsYAMLAndNamesItsUID(t *testing.T) {
	pod := Pod{
		Name: "etcd", Image: "rancher/hardened-etcd:v3-build1", Args: []string{`--quoted="a: b"`}, CPU: "200m", Memory: "512Mi", Data: "/data",
		Probes: []Probe{
			{Kind: "livenessProbe", Path: "/health", Scheme: "HTTP", Port: 2381, PeriodSeconds: 10, FailureThreshold: 8},
			{Kind: "readinessProbe", Command: []string{"kubectl", "get"}, PeriodSeconds: 10, FailureThreshold: 3},
		},
	}
	content, uid, err := pod.Render()
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Metadata struct{ Name, UID string }
		Spec     struct {
			HostNetwork bool `yaml:"hostNetwork"`
			Containers  []struct {
				Args          []string
				LivenessProbe struct {
					HTTPGet struct{ Port int } `yaml:"httpGet"`
				} `yaml:"livenessProbe"`
				ReadinessProbe struct {
					Exec struct{ Command []string }
				} `yaml:"readinessProbe"`
			}
		}
	}
	if err := yaml.Unmarshal(content, &read); err != nil {
		t.Fatalf("%v in\n%s", err, content)
	}
	container := read.Spec.Containers[0]
	if read.Metadata.UID != uid || len(uid) != 32 || !read.Spec.HostNetwork || container.Args[0] != pod.Args[0] {
		t.Errorf("read back as %+v", read)
	}
	if container.LivenessProbe.HTTPGet.Port != 2381 || len(container.ReadinessProbe.Exec.Command) != 2 {
		t.Errorf("probes read back as %+v", container)
	}
}

func TestUIDFollowsImageAndFilesOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	write := func(content string) {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	uid := func(image string) string {
		t.Helper()
		_, uid, err := Pod{Name: "etcd", Image: image, Args: []string{"--config-file=" + file}}.Render()
		if err != nil {
			t.Fatal(err)
		}
		return uid
	}
	write("one")
	first := uid("image:1")
	if uid("image:1") != first {
		t.Error("the same pod has two UIDs")
	}
	if uid("image:2") == first {
		t.Error("another image, the same UID")
	}
	write("two")
	if uid("image:1") == first {
		t.Error("another file, the same UID")
	}
	if strings.ToLower(first) != first {
		t.Errorf("UID %s", first)
	}
}
