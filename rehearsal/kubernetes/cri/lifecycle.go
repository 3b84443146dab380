package cri

import (
	"fmt"
	"strconv"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Annotations of a pod that say how its simulated containers behave. With ".CONTAINER" appended one speaks of that
// container alone, which an init container needs, since it must end.
const (
	// annotationRunSeconds: the container exits by itself after so many seconds; without it, it runs for ever.
	annotationRunSeconds = "rehearsal/run-seconds"
	// annotationExitCode: the exit code then; 0 by default.
	annotationExitCode = "rehearsal/exit-code"
	// annotationStopSeconds: how long it takes to stop after TERM, at most its grace; 0 by default.
	annotationStopSeconds = "rehearsal/stop-seconds"
	// annotationLogs: what it writes to its log when it starts.
	annotationLogs = "rehearsal/logs"
)

const (
	exitTerminated = 128 + 15
	exitKilled     = 128 + 9
	exitUnknown    = 255 // containerd's code for a task it lost
)

// Behaviour of a simulated container.
type Behaviour struct {
	// RunFor is how long it runs by itself; nil is for ever.
	RunFor *time.Duration
	// ExitCode when it ends by itself.
	ExitCode int32
	// StopTakes is how long it takes to stop after TERM.
	StopTakes time.Duration
	// Logs is written to its log at its start.
	Logs string
}

// behaviourOf reads a pod's annotations for one of its containers; the error names the annotation that is no number.
func behaviourOf(annotations map[string]string, container string) (Behaviour, error) {
	var behaviour Behaviour
	value := func(key string) string {
		if own, found := annotations[key+"."+container]; found {
			return own
		}
		return annotations[key]
	}
	number := func(key string) (*float64, error) {
		text := value(key)
		if text == "" {
			return nil, nil
		}
		parsed, err := strconv.ParseFloat(text, 64)
		if err != nil || parsed < 0 {
			return nil, fmt.Errorf("annotation %s: %q is not a number of at least 0", key, text)
		}
		return &parsed, nil
	}
	run, err := number(annotationRunSeconds)
	if err != nil {
		return behaviour, err
	}
	if run != nil {
		duration := seconds(*run)
		behaviour.RunFor = &duration
	}
	code, err := number(annotationExitCode)
	if err != nil {
		return behaviour, err
	}
	if code != nil {
		behaviour.ExitCode = int32(*code)
	}
	stop, err := number(annotationStopSeconds)
	if err != nil {
		return behaviour, err
	}
	if stop != nil {
		behaviour.StopTakes = seconds(*stop)
	}
	behaviour.Logs = value(annotationLogs)
	return behaviour, nil
}

func seconds(of float64) time.Duration { return time.Duration(of * float64(time.Second)) }

// task is what can be seen of a container's task at one moment.
type task struct {
	// exists: its folder below the state directory, which a reboot or killall empties, is there.
	exists bool
	// alive: its process runs. Of real containers only.
	alive bool
	// exit as its shim noted it. Of real containers only.
	exit *Exit
}

// stateAt is the container's state at a moment, from what is kept and what is seen of its task. exit is set if and
// only if the state is exited.
func (c *Container) stateAt(now time.Time, seen task) (state runtimeapi.ContainerState, exit *Exit) {
	switch {
	case c.Exit != nil:
		return runtimeapi.ContainerState_CONTAINER_EXITED, c.Exit
	case c.StartedAt.IsZero(), c.starting:
		return runtimeapi.ContainerState_CONTAINER_CREATED, nil
	case c.Program != "" && seen.exit != nil:
		return runtimeapi.ContainerState_CONTAINER_EXITED, seen.exit
	case !seen.exists, c.Program != "" && !seen.alive:
		return runtimeapi.ContainerState_CONTAINER_EXITED, &Exit{At: now, Code: exitUnknown, Reason: "Unknown"}
	case c.Program != "":
		return runtimeapi.ContainerState_CONTAINER_RUNNING, nil
	}
	if end := c.simulatedEnd(); end != nil && !end.At.After(now) {
		return runtimeapi.ContainerState_CONTAINER_EXITED, end
	}
	return runtimeapi.ContainerState_CONTAINER_RUNNING, nil
}

// simulatedEnd is when and how a simulated container will have ended: by itself or because it was told to stop,
// whichever comes first; nil is never.
func (c *Container) simulatedEnd() *Exit {
	var end *Exit
	if c.Behaviour.RunFor != nil {
		end = &Exit{At: c.StartedAt.Add(*c.Behaviour.RunFor), Code: c.Behaviour.ExitCode, Reason: reasonOf(c.Behaviour.ExitCode)}
	}
	if !c.StopAt.IsZero() && (end == nil || c.StopAt.Before(end.At)) {
		end = &Exit{At: c.StopAt, Code: c.StopCode, Reason: reasonOf(c.StopCode)}
	}
	return end
}

// stop tells a simulated container to stop with the given grace. A later call can only bring the end nearer.
func (c *Container) stop(now time.Time, grace time.Duration, useWholeGrace bool) {
	takes, code := c.Behaviour.StopTakes, int32(exitTerminated)
	if useWholeGrace || takes >= grace {
		takes, code = grace, exitKilled
	}
	if at := now.Add(takes); c.StopAt.IsZero() || at.Before(c.StopAt) {
		c.StopAt, c.StopCode = at, code
	}
}

// reasonOf is the reason that containerd gives for an exit code.
func reasonOf(code int32) string {
	if code == 0 {
		return "Completed"
	}
	return "Error"
}
