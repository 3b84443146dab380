package crictl

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"rehearsal/kubernetes/cri"
)

// serve runs a runtime with one pod of one container, and returns its endpoint.
func serve(t *testing.T) string {
	t.Helper()
	dir, ctx := t.TempDir(), context.Background()
	runtime, images, err := cri.New(cri.Options{Root: filepath.Join(dir, "root"), State: filepath.Join(dir, "state"), Images: dir})
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	runtimeapi.RegisterRuntimeServiceServer(server, runtime)
	runtimeapi.RegisterImageServiceServer(server, images)
	go server.Serve(listener) //nolint:errcheck // ends with Stop
	t.Cleanup(server.Stop)

	image := &runtimeapi.ImageSpec{Image: "example/web:v1", UserSpecifiedImage: "example/web:v1"}
	labels := map[string]string{"io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "default"}
	pod := &runtimeapi.PodSandboxConfig{Metadata: &runtimeapi.PodSandboxMetadata{Name: "web-0", Namespace: "default"}, Labels: labels}
	if _, err := images.PullImage(ctx, &runtimeapi.PullImageRequest{Image: image}); err != nil {
		t.Fatal(err)
	}
	sandbox, err := runtime.RunPodSandbox(ctx, &runtimeapi.RunPodSandboxRequest{Config: pod})
	if err != nil {
		t.Fatal(err)
	}
	container, err := runtime.CreateContainer(ctx, &runtimeapi.CreateContainerRequest{PodSandboxId: sandbox.PodSandboxId, SandboxConfig: pod,
		Config: &runtimeapi.ContainerConfig{Metadata: &runtimeapi.ContainerMetadata{Name: "web"}, Image: image, Labels: labels}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runtime.StartContainer(ctx, &runtimeapi.StartContainerRequest{ContainerId: container.ContainerId}); err != nil {
		t.Fatal(err)
	}
	return "unix://" + socket
}

// run is crictl with the arguments; it returns what crictl printed.
func run(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := newCommand(&out)
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		t.Fatalf("crictl %s: %v", strings.Join(args, " "), err)
	}
	return out.String()
}

func TestListsAndStops(t *testing.T) {
	endpoint := serve(t)
	for _, test := range []struct{ args, want string }{
		{"ps", `^CONTAINER +IMAGE +CREATED +STATE +NAME +ATTEMPT +POD ID +POD +NAMESPACE\n[0-9a-f]{13} +example/web:v1 +\ds ago +Running +web +0 +[0-9a-f]{13} +web-0 +default\n$`},
		{"ps -q --name ^web$", `^[0-9a-f]{64}\n$`},
		{"ps -q --name other", `^$`},
		{"ps -q --state exited", `^$`},
		{"pods", `\n[0-9a-f]{13} +\ds ago +Ready +web-0 +default +0 +\(default\)\n$`},
		{"images", `\ndocker\.io/example/web +v1 +[0-9a-f]{13} +67\.1MB\n$`},
	} {
		got := run(t, append([]string{"-r", endpoint}, strings.Fields(test.args)...)...)
		if !regexp.MustCompile(test.want).MatchString(got) {
			t.Errorf("crictl %s prints\n%s", test.args, got)
		}
	}
	var listed struct{ Containers []struct{ State string } }
	if err := json.Unmarshal([]byte(run(t, "-r", endpoint, "ps", "-o", "json")), &listed); err != nil || listed.Containers[0].State != "CONTAINER_RUNNING" {
		t.Errorf("JSON: %+v, %v", listed, err)
	}

	pod := strings.TrimSpace(run(t, "-r", endpoint, "pods", "-q"))
	run(t, "-r", endpoint, "stopp", pod[:13])
	if got := run(t, "-r", endpoint, "ps", "-q"); got != "" {
		t.Errorf("after stopp there still runs %s", got)
	}
	run(t, "-r", endpoint, "rmp", pod)
	if got := run(t, "-r", endpoint, "pods", "-q"); got != "" {
		t.Errorf("after rmp there still is %s", got)
	}
}
