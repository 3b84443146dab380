// Package staticpod makes the manifests of the control plane's static pods, and stops those that a new manifest
// replaces.
package staticpod

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"text/template"
)

// Pod of one program of the control plane.
type Pod struct {
	Name, Image string
	// Args of the program. The content of files that they name is part of the pod: it restarts when that changes.
	Args []string
	Env  []Variable
	// CPU and Memory that it requests; RKE2's defaults.
	CPU, Memory string
	Probes      []Probe
	// Data is the folder mounted into it.
	Data string

	// UID and FileHash are filled in by Render.
	UID, FileHash string
}

// Variable of the environment.
type Variable struct{ Name, Value string }

// Probe by command, or else by HTTP at localhost.
type Probe struct {
	// Kind is livenessProbe, readinessProbe or startupProbe.
	Kind             string
	Command          []string
	Path, Scheme     string
	Port             int
	PeriodSeconds    int
	FailureThreshold int
}

//go:embed pod.yaml
var manifest string

var parsed = template.Must(template.New("pod").Parse(manifest))

// Render returns the manifest and the pod's UID. As RKE2's, the UID is a hash of all else in it, so that a container
// that runs from another manifest can be told by it.
func (p Pod) Render() (content []byte, uid string, err error) {
	p.UID = ""
	if p.FileHash, err = hashFiles(p.Args); err != nil {
		return nil, "", err
	}
	var buffer bytes.Buffer
	if err := parsed.Execute(&buffer, p); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(buffer.Bytes())
	p.UID = hex.EncodeToString(sum[:16])
	buffer.Reset()
	err = parsed.Execute(&buffer, p)
	return buffer.Bytes(), p.UID, err
}

// hashFiles hashes the content of every file that is the value of an argument.
func hashFiles(args []string) (string, error) {
	var files []string
	for _, arg := range args {
		_, value, _ := strings.Cut(arg, "=")
		if info, err := os.Stat(value); strings.HasPrefix(value, "/") && err == nil && info.Mode().IsRegular() {
			files = append(files, value)
		}
	}
	slices.Sort(files)
	hash := sha256.New()
	for _, file := range slices.Compact(files) {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		hash.Write(content)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
