package cri

import (
	"testing"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var epoch = time.Date(2026, 8, 23, 1, 0, 0, 0, time.UTC)

func after(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

func TestStateOfSimulatedContainer(t *testing.T) {
	five := 5 * time.Second
	lives := task{exists: true}
	for name, test := range map[string]struct {
		container Container
		at        time.Time
		seen      task
		state     runtimeapi.ContainerState
		exit      Exit
	}{
		"not started":         {Container{}, epoch, task{}, runtimeapi.ContainerState_CONTAINER_CREATED, Exit{}},
		"runs for ever":       {Container{StartedAt: epoch}, after(1e6), lives, runtimeapi.ContainerState_CONTAINER_RUNNING, Exit{}},
		"before its end":      {Container{StartedAt: epoch, Behaviour: Behaviour{RunFor: &five}}, after(4), lives, runtimeapi.ContainerState_CONTAINER_RUNNING, Exit{}},
		"long after its end":  {Container{StartedAt: epoch, Behaviour: Behaviour{RunFor: &five}}, after(60), lives, runtimeapi.ContainerState_CONTAINER_EXITED, Exit{At: after(5), Reason: "Completed"}},
		"failed":              {Container{StartedAt: epoch, Behaviour: Behaviour{RunFor: &five, ExitCode: 3}}, after(5), lives, runtimeapi.ContainerState_CONTAINER_EXITED, Exit{At: after(5), Code: 3, Reason: "Error"}},
		"stopping":            {Container{StartedAt: epoch, StopAt: after(20)}, after(19), lives, runtimeapi.ContainerState_CONTAINER_RUNNING, Exit{}},
		"stopped":             {Container{StartedAt: epoch, StopAt: after(20), StopCode: 143}, after(21), lives, runtimeapi.ContainerState_CONTAINER_EXITED, Exit{At: after(20), Code: 143, Reason: "Error"}},
		"ended while told to": {Container{StartedAt: epoch, Behaviour: Behaviour{RunFor: &five}, StopAt: after(20), StopCode: 143}, after(6), lives, runtimeapi.ContainerState_CONTAINER_EXITED, Exit{At: after(5), Reason: "Completed"}},
		"lost by a reboot":    {Container{StartedAt: epoch}, after(9), task{}, runtimeapi.ContainerState_CONTAINER_EXITED, Exit{At: after(9), Code: 255, Reason: "Unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			state, exit := test.container.stateAt(test.at, test.seen)
			if state != test.state {
				t.Fatalf("state is %s, want %s", state, test.state)
			}
			if (exit != nil) != (state == runtimeapi.ContainerState_CONTAINER_EXITED) {
				t.Fatalf("exit is %v in state %s", exit, state)
			}
			if exit != nil && *exit != test.exit {
				t.Fatalf("exit is %+v, want %+v", *exit, test.exit)
			}
		})
	}
}

func TestStopTakesWhatItNeedsAtMostItsGrace(t *testing.T) {
	for name, test := range map[string]struct {
		takes, grace time.Duration
		whole        bool
		want         int
		code         int32
	}{
		"at once":                {0, 30 * time.Second, false, 0, 143},
		"what it needs":          {20 * time.Second, 30 * time.Second, false, 20, 143},
		"no more than its grace": {20 * time.Second, 10 * time.Second, false, 10, 137},
		"its whole grace":        {0, 30 * time.Second, true, 30, 137},
		"killed":                 {20 * time.Second, 0, false, 0, 137},
	} {
		t.Run(name, func(t *testing.T) {
			container := Container{StartedAt: epoch, Behaviour: Behaviour{StopTakes: test.takes}}
			container.stop(epoch, test.grace, test.whole)
			if !container.StopAt.Equal(after(test.want)) || container.StopCode != test.code {
				t.Fatalf("stops at %s with %d, want %s with %d", container.StopAt, container.StopCode, after(test.want), test.code)
			}
		})
	}
}

func TestSecondStopOnlyBringsTheEndNearer(t *testing.T) {
	container := Container{StartedAt: epoch, Behaviour: Behaviour{StopTakes: time.Minute}}
	container.stop(epoch, 30*time.Second, false)
	container.stop(after(1), 60*time.Second, false)
	if !container.StopAt.Equal(after(30)) {
		t.Fatalf("a later stop moved the end to %s", container.StopAt)
	}
	container.stop(after(2), 0, false)
	if !container.StopAt.Equal(after(2)) || container.StopCode != 137 {
		t.Fatalf("a kill ends it at %s with %d", container.StopAt, container.StopCode)
	}
}

func TestAnnotations(t *testing.T) {
	annotations := map[string]string{
		"rehearsal/run-seconds": "5", "rehearsal/exit-code": "2", "rehearsal/stop-seconds": "1.5",
		"rehearsal/logs": "text", "rehearsal/run-seconds.init": "0",
	}
	got, err := behaviourOf(annotations, "main")
	if err != nil || *got.RunFor != 5*time.Second || got.ExitCode != 2 || got.StopTakes != 1500*time.Millisecond || got.Logs != "text" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if got, err := behaviourOf(annotations, "init"); err != nil || *got.RunFor != 0 {
		t.Fatalf("a container's own annotation is not preferred: %+v, %v", got, err)
	}
	if got, err := behaviourOf(nil, "main"); err != nil || got != (Behaviour{}) {
		t.Fatalf("without annotations: %+v, %v", got, err)
	}
	if _, err := behaviourOf(map[string]string{"rehearsal/stop-seconds": "soon"}, "main"); err == nil {
		t.Fatal("an annotation that is no number is accepted")
	}
}
