package main

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/nodejs/npm"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// options are what Pulumi.yaml may say below runtime.options.
type options struct {
	// typescript runs the program by ts-node; on unless switched off.
	typescript bool
	// tsconfig is the path of the tsconfig.json to use instead of the project's.
	tsconfig string
	// nodeArgs are arguments for node itself, as a shell would split them.
	nodeArgs       string
	packageManager npm.PackageManagerType
}

var packageManagers = map[string]npm.PackageManagerType{
	"auto": npm.AutoPackageManager, "npm": npm.NpmPackageManager, "yarn": npm.YarnPackageManager,
	"pnpm": npm.PnpmPackageManager, "bun": npm.BunPackageManager,
}

// parseOptions reads a program's options and refuses those of a wrong type.
func parseOptions(info *pulumirpc.ProgramInfo) (options, error) {
	parsed := options{typescript: true, packageManager: npm.AutoPackageManager}
	given := info.GetOptions().AsMap()
	if value, found := given["typescript"]; found {
		typescript, ok := value.(bool)
		if !ok {
			return parsed, fmt.Errorf("typescript option must be a boolean")
		}
		parsed.typescript = typescript
	}
	for name, target := range map[string]*string{"tsconfig": &parsed.tsconfig, "nodeargs": &parsed.nodeArgs} {
		if value, found := given[name]; found {
			text, ok := value.(string)
			if !ok {
				return parsed, fmt.Errorf("%s option must be a string", name)
			}
			*target = text
		}
	}
	if value, found := given["packagemanager"]; found {
		name, _ := value.(string)
		manager, known := packageManagers[name]
		if !known {
			return parsed, fmt.Errorf("packagemanager option must be one of auto, npm, yarn, pnpm or bun, got %q", value)
		}
		parsed.packageManager = manager
	}
	return parsed, nil
}
