//go:build tools

// Package toolchain pins, in go.mod and go.sum, everything that the rehearsal's Pulumi is built from.
package toolchain

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
