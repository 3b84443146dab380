package cri

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestWithoutARegistryRunsWhatIsHere(t *testing.T) {
	m := newMachine(t)
	ctx := context.Background()
	spec := func(tag string) *runtimeapi.ImageSpec { return &runtimeapi.ImageSpec{Image: tag} }
	pull := func(tag string) error {
		_, err := m.images.PullImage(ctx, &runtimeapi.PullImageRequest{Image: spec(tag)})
		return err
	}
	here := func(tag string) bool {
		t.Helper()
		return must[*runtimeapi.ImageStatusResponse](m)(m.images.ImageStatus(ctx, &runtimeapi.ImageStatusRequest{Image: spec(tag)})).Image != nil
	}
	const before, imported, other = "rancher/canal:v1-build1", "rancher/canal:v1-build2", "rancher/canal:v1-build3"
	if err := pull(before); err != nil {
		t.Fatal(err)
	}
	down := registryDown
	t.Cleanup(func() { registryDown = down })
	registryDown = filepath.Join(t.TempDir(), "registry-down")
	if err := os.WriteFile(registryDown, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(m.options.Root, "imported", "archive")
	if err := os.MkdirAll(filepath.Dir(list), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list, []byte("docker.io/"+imported+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string]bool{before: true, imported: true, other: false} {
		if here(tag) != want {
			t.Errorf("%s: want %v", tag, want)
		}
	}
	if err := pull(other); err == nil {
		t.Error("RKE2's image was pulled with no registry in reach")
	}
	if err := pull("example/web:v1"); err != nil {
		t.Errorf("the site's own registry: %v", err)
	}
	if _, err := os.Stat(list); err == nil {
		t.Error("the list is still there: a removed image would come back")
	}
	m.restart()
	if !here(imported) {
		t.Error("what was imported is forgotten")
	}
	var names []string
	for _, image := range must[*runtimeapi.ListImagesResponse](m)(m.images.ListImages(ctx, &runtimeapi.ListImagesRequest{})).Images {
		names = append(names, image.RepoTags...)
	}
	slices.Sort(names)
	if want := []string{"docker.io/example/web:v1", "docker.io/" + before, "docker.io/" + imported}; !slices.Equal(names, want) {
		t.Errorf("listed are %q", names)
	}
}

func TestFullNames(t *testing.T) {
	for tag, want := range map[string]string{
		"busybox:1":            "docker.io/library/busybox:1",
		"rancher/a:v1":         "docker.io/rancher/a:v1",
		"quay.io/b/c:v1":       "quay.io/b/c:v1",
		"registry:5000/d:v1":   "registry:5000/d:v1",
		"localhost/e:v1":       "localhost/e:v1",
		"docker.io/rancher/f:": "docker.io/rancher/f:",
	} {
		if got := fullName(tag); got != want {
			t.Errorf("%s: %s", tag, got)
		}
	}
}
