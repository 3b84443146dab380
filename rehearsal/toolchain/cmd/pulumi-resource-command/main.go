// pulumi-resource-command stands in for version 1.2.1 of Pulumi's command plugin, where that cannot be downloaded.
// It has remote.Command and local.Command, and does what the official plugin does with them, surprises included.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"rke2-upgrade/rehearsal/toolchain/internal/rpc"
)

const version = "1.2.1"

func main() {
	err := provider.Main("command", func(host *provider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		return &commandProvider{Provider: rpc.Provider{Host: host, Version: version}}, nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
