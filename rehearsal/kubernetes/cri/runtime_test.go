package cri

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"rehearsal/kubernetes/node"
)

// TestMain is also the shim, which a runtime starts by the path of its own program.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == ShimName {
		if err := RunShim("."); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// machine is one on whose disk runtimes come and go.
type machine struct {
	*testing.T
	options Options
	logs    string
	runtime *Runtime
	images  *Images
}

// newMachine has an image tools:v1 of one program, run, which executes its argument as a script.
func newMachine(t *testing.T) *machine {
	dir := t.TempDir()
	m := &machine{T: t, logs: filepath.Join(dir, "logs"), options: Options{
		Root: filepath.Join(dir, "root"), State: filepath.Join(dir, "state"), Images: filepath.Join(dir, "images"),
	}}
	bin := filepath.Join(m.options.Images, "tools", "v1", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/bin/sh", filepath.Join(bin, "run")); err != nil {
		t.Fatal(err)
	}
	m.restart()
	return m
}

// restart begins a new runtime on the same disk, as after a SIGKILL of the old one.
func (m *machine) restart() {
	var err error
	if m.runtime, m.images, err = New(m.options); err != nil {
		m.Fatal(err)
	}
	m.runtime.settings = func() node.Settings { return node.Settings{} }
}

func must[R any](m *machine) func(R, error) R {
	return func(response R, err error) R {
		m.Helper()
		if err != nil {
			m.Fatal(err)
		}
		return response
	}
}

// start runs a pod of one container and returns both IDs. The pod is removed with the test.
func (m *machine) start(annotations map[string]string, tag string, command ...string) (sandbox, container string) {
	m.Helper()
	ctx := context.Background()
	config := &runtimeapi.PodSandboxConfig{
		Metadata: &runtimeapi.PodSandboxMetadata{Name: "pod", Namespace: "default", Uid: "uid"}, Annotations: annotations, LogDirectory: m.logs,
	}
	greeting := &runtimeapi.KeyValue{Key: "GREETING"}
	assign(&greeting.Value, "hello")
	image := &runtimeapi.ImageSpec{Image: tag}
	must[*runtimeapi.PullImageResponse](m)(m.images.PullImage(ctx, &runtimeapi.PullImageRequest{Image: image}))
	sandbox = must[*runtimeapi.RunPodSandboxResponse](m)(m.runtime.RunPodSandbox(ctx, &runtimeapi.RunPodSandboxRequest{Config: config})).PodSandboxId
	container = must[*runtimeapi.CreateContainerResponse](m)(m.runtime.CreateContainer(ctx, &runtimeapi.CreateContainerRequest{
		PodSandboxId: sandbox, SandboxConfig: config, Config: &runtimeapi.ContainerConfig{
			Metadata: &runtimeapi.ContainerMetadata{Name: "main"}, Image: image, Command: command, LogPath: "main/0.log",
			Envs: []*runtimeapi.KeyValue{greeting},
		},
	})).ContainerId
	must[*runtimeapi.StartContainerResponse](m)(m.runtime.StartContainer(ctx, &runtimeapi.StartContainerRequest{ContainerId: container}))
	m.Cleanup(func() {
		if _, err := m.runtime.RemovePodSandbox(ctx, &runtimeapi.RemovePodSandboxRequest{PodSandboxId: sandbox}); err != nil {
			m.Error(err)
		}
	})
	return sandbox, container
}

// assign text to a field that is a string or, from Kubernetes v1.36, bytes.
func assign[T string | []byte](field *T, text string) { *field = T(text) }

func (m *machine) status(container string) *runtimeapi.ContainerStatus {
	m.Helper()
	return must[*runtimeapi.ContainerStatusResponse](m)(m.runtime.ContainerStatus(context.Background(),
		&runtimeapi.ContainerStatusRequest{ContainerId: container})).Status
}

func (m *machine) stop(container string, timeout int64) {
	m.Helper()
	must[*runtimeapi.StopContainerResponse](m)(m.runtime.StopContainer(context.Background(),
		&runtimeapi.StopContainerRequest{ContainerId: container, Timeout: timeout}))
}

// wait for something that happens by itself, for at most ten seconds.
func (m *machine) wait(what string, done func() bool) {
	m.Helper()
	if err := poll(context.Background(), 10*time.Second, func() (bool, error) { return done(), nil }); err != nil {
		m.Fatalf("%s: %v", what, err)
	}
}

func (m *machine) exited(container string) func() bool {
	return func() bool { return m.status(container).State == runtimeapi.ContainerState_CONTAINER_EXITED }
}

// log returns the text of what the container wrote, its format checked.
func (m *machine) log() string {
	m.Helper()
	data, err := os.ReadFile(filepath.Join(m.logs, "main", "0.log"))
	if err != nil {
		m.Fatal(err)
	}
	format := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z (?:stdout|stderr) [FP] (.*)$`)
	var text []string
	for line := range strings.Lines(string(data)) {
		match := format.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if match == nil {
			m.Fatalf("not in CRI's log format: %q", line)
		}
		text = append(text, match[1])
	}
	return strings.Join(text, "\n")
}

func TestRealContainerOutlivesItsRuntime(t *testing.T) {
	m := newMachine(t)
	_, container := m.start(nil, "example/tools:v1-build1", "run", "-c", `echo "$GREETING"; trap 'echo bye; exit 7' TERM; while :; do sleep 0.05; done`)
	m.wait("first output", func() bool { return m.log() == "hello" })
	before, err := m.runtime.tasks.process(container)
	if err != nil {
		t.Fatal(err)
	}
	m.restart()
	if state := m.status(container).State; state != runtimeapi.ContainerState_CONTAINER_RUNNING {
		t.Fatalf("after a restart of the runtime it is %s", state)
	}
	m.stop(container, 10)
	after := m.status(container)
	if after.State != runtimeapi.ContainerState_CONTAINER_EXITED || after.ExitCode != 7 || after.Reason != "Error" {
		t.Fatalf("after TERM it is %s with %d (%s)", after.State, after.ExitCode, after.Reason)
	}
	if before.alive() {
		t.Fatal("its process still runs")
	}
	if text := m.log(); text != "hello\nbye" {
		t.Fatalf("it logged %q", text)
	}
}

func TestExitBetweenTwoRuntimesIsKnown(t *testing.T) {
	m := newMachine(t)
	gate := filepath.Join(t.TempDir(), "gate")
	_, container := m.start(nil, "example/tools:v1", "run", "-c", "while [ ! -e "+gate+" ]; do sleep 0.05; done; exit 4")
	// No runtime looks from here on: only the shim sees the end.
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m.wait("exit noted", func() bool {
		_, err := os.Stat(filepath.Join(m.runtime.tasks.path(container), taskExitFile))
		return err == nil
	})
	m.restart()
	if status := m.status(container); status.ExitCode != 4 {
		t.Fatalf("it is %s with %d", status.State, status.ExitCode)
	}
}

func TestKilledAfterItsGrace(t *testing.T) {
	m := newMachine(t)
	_, container := m.start(nil, "example/tools:v1", "run", "-c", `trap '' TERM; echo deaf; while :; do sleep 0.05; done`)
	m.wait("first output", func() bool { return m.log() == "deaf" })
	began := time.Now()
	m.stop(container, 1)
	if took := time.Since(began); took < time.Second {
		t.Fatalf("killed after %s, before its grace was over", took)
	}
	if code := m.status(container).ExitCode; code != 137 {
		t.Fatalf("exit code %d", code)
	}
}

func TestProgramThatCannotStart(t *testing.T) {
	m := newMachine(t)
	ctx := context.Background()
	if _, err := m.images.PullImage(ctx, &runtimeapi.PullImageRequest{Image: &runtimeapi.ImageSpec{Image: "example/tools:v2-build1"}}); status.Code(err) != codes.NotFound {
		t.Fatalf("pulling a version that is not in the registry: %v", err)
	}
	if _, err := m.images.program("example/tools:v1", "walk"); err == nil || !strings.Contains(err.Error(), "executable file not found") {
		t.Fatalf("a command that the image does not have: %v", err)
	}
	if program, err := m.images.program("example/other:v1", "walk"); program != "" || err != nil {
		t.Fatalf("an image that is not in the registry is not simulated: %q, %v", program, err)
	}
}

func TestSimulatedContainerKeepsItsTimes(t *testing.T) {
	m := newMachine(t)
	_, short := m.start(map[string]string{"rehearsal/run-seconds": "0.3", "rehearsal/exit-code": "3", "rehearsal/logs": "one\ntwo"}, "example/task:v1", "task")
	m.restart()
	m.wait("end by itself", m.exited(short))
	status := m.status(short)
	if ran := time.Duration(status.FinishedAt - status.StartedAt); ran != 300*time.Millisecond || status.ExitCode != 3 {
		t.Fatalf("it ran %s and ended with %d", ran, status.ExitCode)
	}
	if text := m.log(); text != "one\ntwo" {
		t.Fatalf("it logged %q", text)
	}

	_, slow := m.start(map[string]string{"rehearsal/stop-seconds": "0.4"}, "example/web:v1")
	began := time.Now()
	m.stop(slow, 30)
	if took := time.Since(began); took < 400*time.Millisecond || took > 5*time.Second {
		t.Fatalf("stopping took %s", took)
	}
	m.runtime.settings = func() node.Settings { return node.Settings{UseWholeGrace: true} }
	_, whole := m.start(nil, "example/web:v1")
	began = time.Now()
	m.stop(whole, 1)
	if took := time.Since(began); took < time.Second {
		t.Fatalf("with useWholeGrace stopping took %s", took)
	}
}

func TestNothingRunsAfterAReboot(t *testing.T) {
	m := newMachine(t)
	sandbox, container := m.start(nil, "example/web:v1")
	if err := os.RemoveAll(m.options.State); err != nil {
		t.Fatal(err)
	}
	m.restart()
	if status := m.status(container); status.State != runtimeapi.ContainerState_CONTAINER_EXITED || status.ExitCode != 255 {
		t.Fatalf("the container is %s with %d", status.State, status.ExitCode)
	}
	response := must[*runtimeapi.PodSandboxStatusResponse](m)(m.runtime.PodSandboxStatus(context.Background(),
		&runtimeapi.PodSandboxStatusRequest{PodSandboxId: sandbox}))
	if response.Status.State != runtimeapi.PodSandboxState_SANDBOX_NOTREADY {
		t.Fatalf("the sandbox is %s", response.Status.State)
	}
}

func TestPodAddresses(t *testing.T) {
	m := newMachine(t)
	if _, err := m.runtime.UpdateRuntimeConfig(context.Background(), &runtimeapi.UpdateRuntimeConfigRequest{RuntimeConfig: &runtimeapi.RuntimeConfig{
		NetworkConfig: &runtimeapi.NetworkConfig{PodCidr: "10.42.7.0/29"}}}); err != nil {
		t.Fatal(err)
	}
	m.restart()
	taken := map[string]bool{}
	for range 5 { // .2 to .6: neither the network's, nor the bridge's, nor the broadcast address
		address, err := m.runtime.network.allocate(taken)
		if err != nil || taken[address] || !strings.HasPrefix(address, "10.42.7.") {
			t.Fatalf("got %q, %v; taken are %v", address, err, taken)
		}
		taken[address] = true
	}
	if address, err := m.runtime.network.allocate(taken); err == nil {
		t.Fatalf("got %s of a full range", address)
	}
	delete(taken, "10.42.7.3")
	if address, err := m.runtime.network.allocate(taken); err != nil || address != "10.42.7.3" {
		t.Fatalf("got %q, %v instead of the one that is free", address, err)
	}
}

func TestSignalSparesALaterProcessWithTheSamePID(t *testing.T) {
	self, err := startOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	impostor := process{PID: os.Getpid(), Start: self + 1}
	if impostor.alive() {
		t.Fatal("a process with another start counts as the same")
	}
	if err := impostor.signal(9, false); err != nil { // would end the test
		t.Fatal(err)
	}
}

func TestExec(t *testing.T) {
	m := newMachine(t)
	ctx := context.Background()
	_, real := m.start(nil, "example/tools:v1", "run", "-c", "sleep 60 & wait")
	response := must[*runtimeapi.ExecSyncResponse](m)(m.runtime.ExecSync(ctx, &runtimeapi.ExecSyncRequest{
		ContainerId: real, Cmd: []string{"run", "-c", "echo out; echo err >&2; exit 5"}, Timeout: 10}))
	if string(response.Stdout) != "out\n" || string(response.Stderr) != "err\n" || response.ExitCode != 5 {
		t.Fatalf("got %+v", response)
	}
	if _, err := m.runtime.ExecSync(ctx, &runtimeapi.ExecSyncRequest{ContainerId: real, Cmd: []string{"run", "-c", "exec sleep 60"}, Timeout: 1}); status.Code(err) != codes.DeadlineExceeded {
		t.Fatalf("a command that takes too long: %v", err)
	}
	_, simulated := m.start(nil, "example/web:v1")
	began := time.Now()
	must[*runtimeapi.ExecSyncResponse](m)(m.runtime.ExecSync(ctx, &runtimeapi.ExecSyncRequest{ContainerId: simulated, Cmd: []string{"sh", "-c", "sleep 0.3"}}))
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Fatalf("sleep 0.3 took %s", took)
	}
}
