package main

import (
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// releaseCluster is the provider's cluster as helm wants it, with the release's namespace for objects that name none.
type releaseCluster struct {
	settings  settings
	namespace string
}

func (c *releaseCluster) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	inNamespace := c.settings
	inNamespace.Namespace = c.namespace
	loader, err := clientConfig(inNamespace)
	if err != nil {
		return clientcmd.NewDefaultClientConfig(*clientcmdapi.NewConfig(), &clientcmd.ConfigOverrides{})
	}
	return loader
}

func (c *releaseCluster) ToRESTConfig() (*rest.Config, error) {
	config, err := c.ToRawKubeConfigLoader().ClientConfig()
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = requestsPerSecond, requestsAtOnce
	return config, nil
}

func (c *releaseCluster) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	config, err := c.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return memory.NewMemCacheClient(client), nil
}

func (c *releaseCluster) ToRESTMapper() (meta.RESTMapper, error) {
	client, err := c.ToDiscoveryClient()
	if err != nil {
		return nil, err
	}
	return restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(client), client, nil), nil
}
