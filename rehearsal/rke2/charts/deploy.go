package charts

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/sirupsen/logrus"
	"go.etcd.io/etcd/client/v3/concurrency"

	"rehearsal/rke2/etcd"
	"rehearsal/rke2/layout"
	"rehearsal/rke2/release"
)

//go:embed manifests/*.yaml
var manifests embed.FS

var parsed = template.Must(template.ParseFS(manifests, "manifests/*.yaml"))

const (
	// electionKey in etcd: one server at a time deploys.
	electionKey = "/rke2/leader"
	// sessionSeconds until another server takes over from one that is gone.
	sessionSeconds = 15
	retryInterval  = 5 * time.Second
)

// Deployer of one server.
type Deployer struct {
	Layout                     layout.Layout
	NodeName                   string
	Member                     *etcd.Member
	IngressController, Disable []string
	// CrashBetween makes the Jobs fail while the servers are of two releases, as RKE2's do on a minor upgrade
	// (rancher/rke2#10441).
	CrashBetween bool
}

// Deploy waits until this server leads, deploys its release's charts, and keeps the lead until the context ends, so
// that an older server does not set them back.
func Deploy(ctx context.Context, d Deployer) {
	for ctx.Err() == nil {
		if err := d.lead(ctx); err != nil && ctx.Err() == nil {
			logrus.Errorf("Failed to deploy charts: %v", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryInterval):
		}
	}
}

func (d Deployer) lead(ctx context.Context) error {
	client, err := d.Member.Local()
	if err != nil {
		return err
	}
	defer client.Close()
	session, err := concurrency.NewSession(client, concurrency.WithTTL(sessionSeconds), concurrency.WithContext(ctx))
	if err != nil {
		return err
	}
	defer session.Close()
	election := concurrency.NewElection(session, electionKey)
	if err := election.Campaign(ctx, d.NodeName); err != nil {
		return err
	}
	defer func() {
		// The context may have ended: another server is to take over at once all the same.
		resigning, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = election.Resign(resigning)
	}()
	logrus.Infof("Successfully acquired lease kube-system/rke2 as %s", d.NodeName)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-session.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		err := d.deploy(ctx)
		if err == nil {
			break
		}
		logrus.Errorf("Failed to deploy charts: %v", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryInterval):
		}
	}
	<-ctx.Done()
	return nil
}

// deploy all charts of the release, and remove those that it no longer has.
func (d Deployer) deploy(ctx context.Context) error {
	if err := d.apply(ctx, "crd.yaml", chart{}); err != nil {
		return err
	}
	if _, err := d.kubectl(ctx, nil, "wait", "--for=condition=Established", "--timeout=60s", "crd/helmcharts.helm.cattle.io"); err != nil {
		return err
	}
	listed, err := d.kubectl(ctx, nil, "get", "helmcharts.helm.cattle.io", "--namespace=kube-system", "--output=jsonpath={.items[*].metadata.name}")
	if err != nil {
		return err
	}
	existing := strings.Fields(string(listed))
	wanted := Select(release.Minor(), d.IngressController, d.Disable, existing)
	for _, name := range existing {
		if slices.Contains(all, name) && !slices.Contains(wanted, name) {
			if err := d.uninstall(ctx, name); err != nil {
				return err
			}
		}
	}
	for _, name := range wanted {
		if err := d.install(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// chart is what the manifests are rendered with.
type chart struct {
	Name, Version, Build string
	// ExitCode of its Job.
	ExitCode int
}

// mixed tells whether the servers are of more than one release.
func (d Deployer) mixed(ctx context.Context) (bool, error) {
	listed, err := d.kubectl(ctx, nil, "get", "nodes", "--selector=node-role.kubernetes.io/control-plane", "--output=jsonpath={.items[*].status.nodeInfo.kubeletVersion}")
	versions := strings.Fields(string(listed))
	slices.Sort(versions)
	return len(slices.Compact(versions)) > 1, err
}

// install writes the chart's manifest to server/manifests, has its Job run, and applies its workload. A chart that was
// installed from this release is left as it is.
func (d Deployer) install(ctx context.Context, name string) error {
	c := chart{Name: name, Version: release.Version, Build: release.BuildDate}
	manifest, err := render("helmchart.yaml", c)
	if err != nil {
		return err
	}
	if err := layout.Write(d.Layout.Server("manifests", name+".yaml"), manifest, 0o600); err != nil {
		return err
	}
	if _, err := d.kubectl(ctx, manifest, "apply", "--server-side", "--force-conflicts", "--field-manager=deploy@"+d.NodeName, "--filename=-"); err != nil {
		return err
	}
	job := "helm-install-" + name
	made, err := d.job(ctx, job)
	if err != nil {
		return err
	}
	if d.CrashBetween {
		between, err := d.mixed(ctx)
		if err != nil {
			return err
		}
		if between {
			c.ExitCode = 1
		}
	}
	if made.version != c.Version || made.crashing && c.ExitCode == 0 {
		logrus.Infof("Applying HelmChart kube-system/%s", name)
		// A Job's pods cannot be changed, so Helm's controller replaces the Job of another release.
		if _, err := d.kubectl(ctx, nil, "delete", "job", job, "--namespace=kube-system", "--ignore-not-found", "--wait"); err != nil {
			return err
		}
		if err := d.apply(ctx, "job.yaml", c); err != nil {
			return err
		}
		made.complete = false
	}
	if !made.complete {
		patience := "--timeout=120s"
		if c.ExitCode != 0 {
			patience = "--timeout=5s" // then the servers are looked at again
		}
		if _, err := d.kubectl(ctx, nil, "wait", "--for=condition=Complete", patience, "--namespace=kube-system", "job/"+job); err != nil {
			return err
		}
	}
	return d.apply(ctx, name+".yaml", c)
}

// madeJob is a Job that there is: by which release ("" where there is none), whether it has completed, whether it was
// made to crash.
type madeJob struct {
	version            string
	complete, crashing bool
}

func (d Deployer) job(ctx context.Context, name string) (madeJob, error) {
	found, err := d.kubectl(ctx, nil, "get", "job", name, "--namespace=kube-system", "--ignore-not-found", "--output=json")
	if err != nil || len(bytes.TrimSpace(found)) == 0 {
		return madeJob{}, err
	}
	type metadata struct{ Annotations map[string]string }
	var job struct {
		Metadata metadata
		Spec     struct{ Template struct{ Metadata metadata } }
		Status   struct{ Succeeded int }
	}
	if err := json.Unmarshal(found, &job); err != nil {
		return madeJob{}, err
	}
	return madeJob{
		version:  job.Metadata.Annotations["helmcharts.helm.cattle.io/configHash"],
		complete: job.Status.Succeeded > 0,
		crashing: job.Spec.Template.Metadata.Annotations["rehearsal/exit-code"] == "1",
	}, nil
}

func (d Deployer) uninstall(ctx context.Context, name string) error {
	logrus.Infof("Removing HelmChart kube-system/%s", name)
	manifest, err := render(name+".yaml", chart{Name: name})
	if err != nil {
		return err
	}
	_, workload := d.kubectl(ctx, manifest, "delete", "--ignore-not-found", "--filename=-")
	_, object := d.kubectl(ctx, nil, "delete", "--namespace=kube-system", "--ignore-not-found", "job/helm-install-"+name, "helmchart.helm.cattle.io/"+name)
	return errors.Join(workload, object)
}

func (d Deployer) apply(ctx context.Context, manifest string, c chart) error {
	content, err := render(manifest, c)
	if err != nil {
		return err
	}
	_, err = d.kubectl(ctx, content, "apply", "--server-side", "--force-conflicts", "--field-manager=helm", "--filename=-")
	return err
}

func (d Deployer) kubectl(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	return Kubectl(ctx, d.Layout, stdin, args...)
}

func render(manifest string, c chart) ([]byte, error) {
	var buffer bytes.Buffer
	err := parsed.ExecuteTemplate(&buffer, manifest, c)
	return buffer.Bytes(), err
}
