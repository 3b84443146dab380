package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// GetRequiredPackages finds the installed npm packages that come with a plugin, so that the engine can fetch those
// it lacks before the program runs. A package.json that cannot be read is passed over.
func (h *languageHost) GetRequiredPackages(
	_ context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	root := filepath.Join(request.GetInfo().GetProgramDirectory(), "node_modules")
	// node_modules holds packages, scopes that hold packages, and packages that hold node_modules of their own.
	var manifests []string
	for _, pattern := range []string{"*", "@*/*", "*/node_modules/*", "@*/*/node_modules/*"} {
		found, err := filepath.Glob(filepath.Join(root, pattern, "package.json"))
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, found...)
	}
	response := &pulumirpc.GetRequiredPackagesResponse{}
	for _, manifest := range manifests {
		if dependency := pluginOf(manifest); dependency != nil {
			response.Packages = append(response.Packages, dependency)
		}
	}
	return response, nil
}

// pluginOf reads a package.json and returns the resource plugin that it names, or nil.
func pluginOf(manifest string) *pulumirpc.PackageDependency {
	text, err := os.ReadFile(manifest)
	if err != nil {
		return nil
	}
	var described struct {
		Name    string
		Version string
		Pulumi  plugin.PulumiPluginJSON
	}
	if json.Unmarshal(text, &described) != nil || !described.Pulumi.Resource {
		return nil
	}
	name, version := described.Pulumi.Name, described.Pulumi.Version
	if name == "" {
		// Only Pulumi's own packages may leave the plugin's name out.
		own, isOwn := strings.CutPrefix(described.Name, "@pulumi/")
		if !isOwn {
			return nil
		}
		name = own
	}
	if version == "" {
		version = described.Version
	}
	dependency := &pulumirpc.PackageDependency{
		Name: name, Kind: "resource", Version: "v" + strings.TrimPrefix(version, "v"), Server: described.Pulumi.Server,
	}
	if parameters := described.Pulumi.Parameterization; parameters != nil {
		dependency.Parameterization = &pulumirpc.PackageParameterization{
			Name: parameters.Name, Version: parameters.Version, Value: parameters.Value,
		}
	}
	return dependency
}
