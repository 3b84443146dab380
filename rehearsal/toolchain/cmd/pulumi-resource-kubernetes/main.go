// pulumi-resource-kubernetes stands in for version 4.34.2 of Pulumi's Kubernetes plugin, where that cannot be
// downloaded. It covers Jobs, ConfigMaps and Namespaces over the real API, by server-side apply, waiting as the
// official plugin waits, and Helm releases, by helm's own library, which the official plugin uses too.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"rke2-upgrade/rehearsal/toolchain/internal/rpc"
)

const version = "4.34.2"

func main() {
	err := provider.Main("kubernetes", func(host *provider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		return newKubernetesProvider(rpc.Provider{Host: host, Version: version}), nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
