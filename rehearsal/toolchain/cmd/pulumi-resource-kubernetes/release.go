package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"google.golang.org/protobuf/types/known/structpb"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/helmpath"
	"helm.sh/helm/v3/pkg/registry"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"helm.sh/helm/v3/pkg/repo"
	"sigs.k8s.io/yaml"

	"rke2-upgrade/rehearsal/toolchain/internal/rpc"
)

// releaseToken is the one type that is no object of the API but a Helm release.
const releaseToken = "kubernetes:helm.sh/v3:Release"

// releaseTimeout is the official plugin's default for waiting, in seconds.
const releaseTimeout = 300

// releaseInputs are the inputs of a Release that are covered.
type releaseInputs struct {
	Name            string         `json:"name"`
	Namespace       string         `json:"namespace"`
	Chart           string         `json:"chart"`
	Version         string         `json:"version"`
	Values          map[string]any `json:"values"`
	Timeout         int            `json:"timeout"`
	Atomic          bool           `json:"atomic"`
	CleanupOnFail   bool           `json:"cleanupOnFail"`
	CreateNamespace bool           `json:"createNamespace"`
	SkipAwait       bool           `json:"skipAwait"`
	SkipCrds        bool           `json:"skipCrds"`
	WaitForJobs     bool           `json:"waitForJobs"`
	DisableWebhooks bool           `json:"disableWebhooks"`
	DisableCRDHooks bool           `json:"disableCRDHooks"`
	ForceUpdate     bool           `json:"forceUpdate"`
	MaxHistory      int            `json:"maxHistory"`
	Repository      struct {
		Repo     string `json:"repo"`
		CAFile   string `json:"caFile"`
		CertFile string `json:"certFile"`
		KeyFile  string `json:"keyFile"`
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"repositoryOpts"`
}

func (r releaseInputs) id() string { return r.Namespace + "/" + r.Name }

func (r releaseInputs) limit() time.Duration {
	if r.Timeout == 0 {
		return releaseTimeout * time.Second
	}
	return time.Duration(r.Timeout) * time.Second
}

// uncovered are inputs that the official plugin knows and this one does not: refused, not left out in silence.
var uncovered = []string{
	"allowNullValues", "dependencyUpdate", "description", "devel", "disableOpenapiValidation", "keyring", "lint",
	"postrender", "recreatePods", "renderSubchartNotes", "replace", "resetValues", "reuseValues", "takeOwnership",
	"valueYamlFiles", "verify",
}

func releaseOf(properties *structpb.Struct) (releaseInputs, error) {
	var inputs releaseInputs
	if err := rpc.Into(properties, &inputs); err != nil {
		return inputs, err
	}
	for _, key := range uncovered {
		if _, given := properties.GetFields()[key]; given {
			return inputs, fmt.Errorf("the rehearsal's stand-in for the Kubernetes plugin does not know a Release's %s", key)
		}
	}
	return inputs, nil
}

// settings are those of the helm on this machine: its repositories, caches and registries' credentials.
var helmSettings = cli.New()

// helm is the configuration of one helm action in a namespace, over the provider's own cluster.
func (p *kubernetesProvider) helm(namespace string) (*action.Configuration, error) {
	configuration := &action.Configuration{}
	silent := func(string, ...any) {}
	getter := &releaseCluster{settings: p.settings, namespace: namespace}
	if err := configuration.Init(getter, namespace, os.Getenv("HELM_DRIVER"), silent); err != nil {
		return nil, err
	}
	client, err := registry.NewClient(registry.ClientOptCredentialsFile(helmSettings.RegistryConfig))
	configuration.RegistryClient = client
	return configuration, err
}

// load finds the chart as helm does, by path, repository or registry, and reads it.
func (p *kubernetesProvider) load(inputs releaseInputs) (*chart.Chart, error) {
	configuration, err := p.helm(inputs.Namespace)
	if err != nil {
		return nil, err
	}
	options := &action.NewInstall(configuration).ChartPathOptions
	from := inputs.Repository
	options.RepoURL, options.Username, options.Password = from.Repo, from.Username, from.Password
	options.CaFile, options.CertFile, options.KeyFile = from.CAFile, from.CertFile, from.KeyFile
	options.Version = inputs.Version
	path, err := options.LocateChart(inputs.Chart, helmSettings)
	if err != nil {
		return nil, err
	}
	loaded, err := loader.Load(path)
	if err != nil {
		return nil, err
	}
	if missing := action.CheckDependencies(loaded, loaded.Metadata.Dependencies); missing != nil {
		return nil, missing
	}
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return nil, fmt.Errorf("%s charts are not installable", kind)
	}
	return loaded, nil
}

// failedRelease is an action that left a release behind, though not a good one.
type failedRelease struct {
	release *release.Release
	err     error
}

func (e *failedRelease) Error() string {
	return fmt.Sprintf("failed to become available within allocated timeout. Error: Helm Release %s/%s: %v",
		e.release.Namespace, e.release.Name, e.err)
}

// prepare is what helm works with: the namespace's releases, and the chart.
func (p *kubernetesProvider) prepare(inputs releaseInputs) (*action.Configuration, *chart.Chart, error) {
	configuration, err := p.helm(inputs.Namespace)
	if err != nil {
		return nil, nil, err
	}
	loaded, err := p.load(inputs)
	return configuration, loaded, err
}

// install is `helm install`: a name that is in use already is refused, as by the official plugin.
func (p *kubernetesProvider) install(inputs releaseInputs) (*release.Release, error) {
	configuration, loaded, err := p.prepare(inputs)
	if err != nil {
		return nil, err
	}
	install := action.NewInstall(configuration)
	install.ReleaseName, install.Namespace = inputs.Name, inputs.Namespace
	install.CreateNamespace, install.SkipCRDs = inputs.CreateNamespace, inputs.SkipCrds
	install.Wait, install.WaitForJobs = !inputs.SkipAwait, !inputs.SkipAwait && inputs.WaitForJobs
	install.Atomic, install.DisableHooks, install.Timeout = inputs.Atomic, inputs.DisableWebhooks, inputs.limit()
	made, err := install.RunWithContext(contextOfPlugin, loaded, inputs.Values)
	if err != nil && made != nil {
		// An atomic one has been taken away again.
		if _, missing := action.NewGet(configuration).Run(inputs.Name); missing == nil {
			return made, &failedRelease{made, err}
		}
	}
	return made, err
}

// upgrade is `helm upgrade`.
func (p *kubernetesProvider) upgrade(inputs releaseInputs) (*release.Release, error) {
	configuration, loaded, err := p.prepare(inputs)
	if err != nil {
		return nil, err
	}
	upgrade := action.NewUpgrade(configuration)
	upgrade.Namespace, upgrade.Timeout = inputs.Namespace, inputs.limit()
	upgrade.Wait, upgrade.WaitForJobs = !inputs.SkipAwait, !inputs.SkipAwait && inputs.WaitForJobs
	upgrade.Atomic, upgrade.CleanupOnFail = inputs.Atomic, inputs.CleanupOnFail
	upgrade.DisableHooks, upgrade.Force, upgrade.MaxHistory = inputs.DisableCRDHooks, inputs.ForceUpdate, inputs.MaxHistory
	made, err := upgrade.RunWithContext(contextOfPlugin, inputs.Name, loaded, inputs.Values)
	if err != nil && made != nil {
		return made, fmt.Errorf("error running update: %w", &failedRelease{made, err})
	}
	return made, err
}

// uninstall is `helm uninstall`, which waits until all is gone unless the release was not waited for either.
func (p *kubernetesProvider) uninstall(inputs releaseInputs) error {
	configuration, err := p.helm(inputs.Namespace)
	if err != nil {
		return err
	}
	uninstall := action.NewUninstall(configuration)
	uninstall.Wait, uninstall.Timeout = inputs.Atomic || !inputs.SkipAwait, inputs.limit()
	_, err = uninstall.Run(inputs.Name)
	return err
}

// lookup finds the last revision of a release; nil where there is none.
func (p *kubernetesProvider) lookup(inputs releaseInputs) (*release.Release, error) {
	configuration, err := p.helm(inputs.Namespace)
	if err != nil {
		return nil, err
	}
	found, err := action.NewGet(configuration).Run(inputs.Name)
	if err != nil && strings.Contains(err.Error(), "release: not found") {
		return nil, nil
	}
	return found, err
}

// releaseState is what the state keeps: the inputs, and what came of them; in a preview the latter is not known.
func releaseState(inputs resource.PropertyMap, made *release.Release) (*structpb.Struct, error) {
	state := inputs.Copy()
	if made == nil {
		state["status"] = resource.MakeComputed(resource.NewProperty(""))
		state["resourceNames"] = resource.MakeComputed(resource.NewProperty(""))
		return rpc.Encode(state)
	}
	state["status"] = resource.NewProperty(resource.NewPropertyMapFromMap(map[string]any{
		"name": made.Name, "namespace": made.Namespace, "revision": float64(made.Version),
		"status": made.Info.Status.String(), "chart": made.Chart.Metadata.Name,
		"version": made.Chart.Metadata.Version, "appVersion": made.Chart.Metadata.AppVersion,
	}))
	names := map[string]any{}
	for kind, found := range resourceNames(made) {
		names[kind] = found
	}
	state["resourceNames"] = resource.NewProperty(resource.NewPropertyMapFromMap(names))
	return rpc.Encode(state)
}

// resourceNames are the release's objects by `kind/version`.
func resourceNames(made *release.Release) map[string][]any {
	names := map[string][]any{}
	for _, manifest := range releaseutil.SplitManifests(made.Manifest) {
		var head struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
			Metadata   struct {
				Name      string `json:"name"`
				Namespace string `json:"namespace"`
			} `json:"metadata"`
		}
		if yaml.Unmarshal([]byte(manifest), &head) != nil || head.Kind == "" {
			continue
		}
		name := head.Metadata.Name
		if head.Metadata.Namespace != "" {
			name = head.Metadata.Namespace + "/" + name
		}
		key := head.Kind + "/" + head.APIVersion
		names[key] = append(names[key], name)
	}
	return names
}

// importedRelease are the inputs of a release that somebody else installed. Where its chart is from no release tells:
// it is looked for in the program's folder and in the helm repositories of this machine.
func importedRelease(live *release.Release) resource.PropertyMap {
	values := live.Config
	if values == nil {
		values = map[string]any{}
	}
	name, version := live.Chart.Metadata.Name, live.Chart.Metadata.Version
	inputs := resource.NewPropertyMapFromMap(map[string]any{
		"name": live.Name, "namespace": live.Namespace, "version": version,
		"chart": chartSource(name, version), "timeout": float64(releaseTimeout),
	})
	if len(values) > 0 {
		inputs["values"] = resource.NewProperty(resource.NewPropertyMapFromMap(values))
	}
	return inputs
}

func chartSource(name, version string) string {
	versioned := name + "-" + version
	for _, local := range []string{versioned, versioned + ".tgz", name, name + ".tgz"} {
		if _, err := loader.Load(local); err == nil {
			return local
		}
	}
	repositories, err := repo.LoadFile(helmSettings.RepositoryConfig)
	if err != nil {
		return name
	}
	for _, known := range repositories.Repositories {
		index, err := repo.LoadIndexFile(filepath.Join(helmSettings.RepositoryCache, helmpath.CacheIndexFile(known.Name)))
		if err != nil {
			continue
		}
		if _, err := index.Get(name, version); err == nil {
			return known.Name + "/" + name
		}
	}
	return name
}

// unavailable is the failure of a release that exists, in the official plugin's words.
func unavailable(id, what string, cause error, state *structpb.Struct) error {
	reason := fmt.Errorf("Helm release %q %s. Use Helm CLI to investigate: %w", id, what, cause) //nolint
	return partial(id, reason, reason, state, nil)
}

// isFailedRelease tells whether an action's error left a release behind.
func isFailedRelease(err error) bool {
	var failed *failedRelease
	return errors.As(err, &failed)
}

// warnRelease tells the engine what it does not show of a partial failure.
func (p *kubernetesProvider) warnRelease(ctx context.Context, urn string, inputs releaseInputs, cause error) {
	p.warn(ctx, urn, fmt.Sprintf("Helm release %q was created but has a failed status. Use the `helm` command to "+
		"investigate the error, correct it, then retry. Reason: %v", inputs.Name, cause))
}
