package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

const (
	// awaitLimit bounds a wait for which neither customTimeouts nor an annotation gives a limit.
	awaitLimit = 10 * time.Minute
	// deletePoll is how often an object that is being deleted is looked at.
	deletePoll = time.Second
)

// awaitError says why an object did not become ready; details are what is known about it.
type awaitError struct {
	message string
	details []string
}

func (e *awaitError) Error() string { return e.message }

func notInitialized(object *unstructured.Unstructured, details []string) *awaitError {
	return &awaitError{
		message: fmt.Sprintf("Resource '%s' was created but failed to initialize", object.GetName()), details: details,
	}
}

// progress is how far a Job has come.
type progress struct {
	started  bool
	complete bool
	// failure is the message of the Failed condition, for the reasons that the official plugin knows. A Job that failed
	// for another reason is waited for until the limit.
	failure string
	counts  string
}

// failures is the failure as a list.
func (p progress) failures() []string {
	if p.failure == "" {
		return nil
	}
	return []string{p.failure}
}

func jobProgress(job *unstructured.Unstructured) progress {
	var result progress
	status, _, _ := unstructured.NestedMap(job.Object, "status")
	_, result.started = status["startTime"]
	count := func(field string) int64 {
		value, _, _ := unstructured.NestedInt64(status, field)
		return value
	}
	result.counts = fmt.Sprintf("(Active: %d | Succeeded: %d | Failed: %d)", count("active"), count("succeeded"), count("failed"))
	conditions, _, _ := unstructured.NestedSlice(status, "conditions")
	for _, condition := range conditions {
		condition, _ := condition.(map[string]any)
		if condition["status"] != "True" {
			continue
		}
		switch reason := condition["reason"]; condition["type"] {
		case "Complete":
			result.complete = result.started
		case "Failed":
			if reason == "BackoffLimitExceeded" || reason == "DeadlineExceeded" {
				result.failure = fmt.Sprintf("[%s] %s", reason, condition["message"])
			}
		}
	}
	return result
}

// await waits until a Job is complete and returns it as it is then. Other kinds are ready as soon as they exist.
func (p *kubernetesProvider) await(
	kind kind, object *unstructured.Unstructured, a application,
) (*unstructured.Unstructured, error) {
	if kind.name != "Job" || annotated(object, skipAwaitAnnotation) {
		return object, nil
	}
	ctx, cancel := context.WithTimeout(contextOfPlugin, limit(object, a.timeout))
	defer cancel()
	name := shortName(object)
	latest, shown := object, ""
	// The informer behind this survives an API server that restarts.
	_, err := watchtools.UntilWithSync(ctx, p.watch(ctx, kind, object), &unstructured.Unstructured{}, nil,
		func(event watch.Event) (bool, error) {
			job, isObject := event.Object.(*unstructured.Unstructured)
			if !isObject || event.Type == watch.Deleted {
				return false, nil
			}
			latest = job
			progress := jobProgress(job)
			if progress.failure != "" {
				return false, notInitialized(job, append(progress.failures(), p.podMessages(ctx, job)...))
			}
			message := fmt.Sprintf("[1/2] Waiting for Job %q to start", name)
			if progress.started {
				message = fmt.Sprintf("[2/2] Waiting for Job %q to succeed %s", name, progress.counts)
			}
			if message != shown {
				shown = message
				p.status(ctx, a.urn, message)
			}
			return progress.complete, nil
		})
	switch {
	case err == nil:
		return latest, nil
	case contextOfPlugin.Err() != nil:
		return latest, &awaitError{message: fmt.Sprintf("Resource operation was cancelled for '%s'", object.GetName())}
	case ctx.Err() != nil:
		details := append([]string{fmt.Sprintf("Job %q did not succeed %s", name, jobProgress(latest).counts)},
			p.podMessages(contextOfPlugin, latest)...)
		return latest, &awaitError{
			message: fmt.Sprintf("'%s' timed out waiting to be Ready", object.GetName()), details: details,
		}
	}
	return latest, err
}

// watch lists and watches the one object.
func (p *kubernetesProvider) watch(ctx context.Context, kind kind, object *unstructured.Unstructured) cache.ListerWatcher {
	client := p.client(kind, object.GetNamespace())
	selector := fields.OneTermEqualSelector("metadata.name", object.GetName()).String()
	return &cache.ListWatch{
		ListFunc: func(options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = selector
			return client.List(ctx, options)
		},
		WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = selector
			return client.Watch(ctx, options)
		},
	}
}

// podMessages tells why the Job's pods are not ready, as far as they say.
func (p *kubernetesProvider) podMessages(ctx context.Context, job *unstructured.Unstructured) []string {
	pods, err := p.cluster.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).
		Namespace(job.GetNamespace()).
		List(ctx, metav1.ListOptions{LabelSelector: "batch.kubernetes.io/job-name=" + job.GetName()})
	if err != nil {
		return nil
	}
	var messages []string
	for _, pod := range pods.Items {
		conditions, _, _ := unstructured.NestedSlice(pod.Object, "status", "conditions")
		for _, condition := range conditions {
			condition, _ := condition.(map[string]any)
			if message, _ := condition["message"].(string); message != "" && condition["status"] == "False" {
				messages = append(messages, fmt.Sprintf("[Pod %s]: %s", qualified(&pod), message))
			}
		}
	}
	return messages
}

// delete deletes in the foreground and waits until the object is gone.
func (p *kubernetesProvider) delete(
	ctx context.Context, kind kind, object *unstructured.Unstructured, timeout float64,
) error {
	client := p.client(kind, object.GetNamespace())
	policy := metav1.DeletePropagationForeground
	err := client.Delete(ctx, object.GetName(), metav1.DeleteOptions{PropagationPolicy: &policy})
	if apierrors.IsNotFound(err) || err == nil && annotated(object, skipAwaitAnnotation) {
		return nil
	}
	if err != nil {
		return err
	}
	err = wait.PollUntilContextTimeout(contextOfPlugin, deletePoll, limit(object, timeout), true,
		func(ctx context.Context) (bool, error) {
			live, err := client.Get(ctx, object.GetName(), metav1.GetOptions{})
			// An API server that is away for a moment says nothing about the object.
			return apierrors.IsNotFound(err) || err == nil && live.GetUID() != object.GetUID(), nil
		})
	if err != nil {
		return fmt.Errorf("timed out waiting for %s to be deleted: %w", qualified(object), err)
	}
	return nil
}

// limit is how long to wait, by customTimeouts (seconds), by annotation, or as ever.
func limit(object *unstructured.Unstructured, custom float64) time.Duration {
	if custom > 0 {
		return time.Duration(custom * float64(time.Second))
	}
	if seconds, err := strconv.Atoi(object.GetAnnotations()[timeoutAnnotation]); err == nil {
		return time.Duration(seconds) * time.Second
	}
	return awaitLimit
}

// shortName leaves out the namespace where it is the default one.
func shortName(object *unstructured.Unstructured) string {
	if object.GetNamespace() == metav1.NamespaceDefault {
		return object.GetName()
	}
	return qualified(object)
}

func (p *kubernetesProvider) status(ctx context.Context, urn, message string) {
	if p.Host != nil {
		_ = p.Host.LogStatus(ctx, diag.Info, resource.URN(urn), message)
	}
}
