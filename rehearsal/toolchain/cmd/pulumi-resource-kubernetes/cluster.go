package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// settings are the provider's own inputs. The engine sends booleans as JSON text.
type settings struct {
	Kubeconfig             string `json:"kubeconfig"`
	Context                string `json:"context"`
	Cluster                string `json:"cluster"`
	Namespace              string `json:"namespace"`
	EnableServerSideApply  string `json:"enableServerSideApply"`
	EnablePatchForce       string `json:"enablePatchForce"`
	EnableConfigMapMutable string `json:"enableConfigMapMutable"`
	UpsertExistingObjects  string `json:"upsertExistingObjects"`
	DeleteUnreachable      string `json:"deleteUnreachable"`
}

// The official plugin's own limits: more than client-go's, for stacks of many resources.
const (
	requestsPerSecond = 50
	requestsAtOnce    = 120
)

// cluster is the API that the provider was configured with.
type cluster struct {
	client dynamic.Interface
	// namespace is where objects go that name none.
	namespace string
	// unreachable says why the cluster cannot be used; empty when it can. Like the official plugin this one finds out
	// when it is configured, and leaves a preview to go on without the cluster.
	unreachable string
}

// connect opens the cluster that the settings name.
func connect(settings settings) *cluster {
	loader, err := clientConfig(settings)
	if err != nil {
		return &cluster{unreachable: fmt.Sprintf("failed to parse kubeconfig data in `kubernetes:config:kubeconfig`- %v", err)}
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return &cluster{unreachable: fmt.Sprintf("unable to load Kubernetes client configuration from kubeconfig file. "+
			"Make sure you have: \n\n \t • set up the provider as per "+
			"https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ \n\n %v", err)}
	}
	namespace, _, err := loader.Namespace()
	if err != nil || namespace == "" {
		namespace = "default"
	}
	config.QPS, config.Burst = requestsPerSecond, requestsAtOnce
	client, err := dynamic.NewForConfig(config)
	if err == nil {
		err = ping(config)
	}
	if err != nil {
		return &cluster{unreachable: fmt.Sprintf("unable to load schema information from the API server: %v", err)}
	}
	return &cluster{client: client, namespace: namespace}
}

// ping asks the API server for its version, for at most the 32 s of client-go's discovery.
func ping(config *rest.Config) error {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	_, err = client.ServerVersion()
	return err
}

// clientConfig reads the kubeconfig, given as text or as a path, or found where kubectl would find it.
func clientConfig(settings settings) (clientcmd.ClientConfig, error) {
	overrides := &clientcmd.ConfigOverrides{
		CurrentContext: settings.Context,
		Context:        clientcmdapi.Context{Cluster: settings.Cluster, Namespace: settings.Namespace},
	}
	if settings.Kubeconfig == "" {
		rules := clientcmd.NewDefaultClientConfigLoadingRules()
		return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides), nil
	}
	config, err := loadKubeconfig(settings.Kubeconfig)
	if err != nil {
		return nil, err
	}
	return clientcmd.NewDefaultClientConfig(*config, overrides), nil
}

// loadKubeconfig takes a kubeconfig's path or its text.
func loadKubeconfig(pathOrContents string) (*clientcmdapi.Config, error) {
	path := pathOrContents
	if rest, home := strings.CutPrefix(path, "~"); home {
		directory, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		path = filepath.Join(directory, rest)
	}
	if text, err := os.ReadFile(path); err == nil {
		return clientcmd.Load(text)
	}
	return clientcmd.Load([]byte(pathOrContents))
}

// sameCluster tells whether two provider settings point at one cluster, credentials aside.
func sameCluster(a, b settings) bool {
	first, err := activeCluster(a)
	if err != nil {
		return true
	}
	second, err := activeCluster(b)
	return err != nil || reflect.DeepEqual(first, second)
}

func activeCluster(settings settings) (*clientcmdapi.Cluster, error) {
	loader, err := clientConfig(settings)
	if err != nil {
		return nil, err
	}
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, err
	}
	name := raw.CurrentContext
	if settings.Context != "" {
		name = settings.Context
	}
	context := raw.Contexts[name]
	if context == nil {
		return nil, fmt.Errorf("no context %q", name)
	}
	return raw.Clusters[context.Cluster], nil
}
