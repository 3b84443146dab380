package node

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"rehearsal/rke2/layout"
)

// importInterval between looks at the folder of archives. RKE2 is told by the kernel, and waits two seconds.
const importInterval = time.Second

// importer has containerd know the images of the archives in agent/images: all at RKE2's start; while it runs each that is
// new there or of another size, as RKE2 does since January 2025.
type importer struct {
	layout layout.Layout
	// known are the sizes of archives that were imported, by path.
	known map[string]int64
}

// watch goes on until the context ends.
func (i *importer) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(importInterval):
			i.look()
		}
	}
}

func (i *importer) look() {
	files := archives(i.layout)
	for file := range i.known {
		if !slices.Contains(files, file) {
			delete(i.known, file)
		}
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			continue
		}
		if size, found := i.known[file]; found && size == info.Size() {
			continue
		}
		i.known[file] = info.Size()
		if err := i.take(file); err != nil {
			logrus.Errorf("Failed to import %s: %v", file, err)
			continue
		}
		logrus.Infof("Imported images from %s", file)
	}
}

// take leaves the names for the stand-in of containerd (rehearsal/kubernetes/cri/registry.go): CRI imports nothing.
func (i *importer) take(file string) error {
	manifest, err := manifestOf(file)
	if err != nil {
		return err
	}
	var names []string
	for _, entry := range manifest {
		names = append(names, entry.RepoTags...)
	}
	return layout.Write(i.layout.Agent("containerd", "imported", filepath.Base(file)), []byte(strings.Join(names, "\n")+"\n"), 0o600)
}

func archives(l layout.Layout) []string {
	files, _ := filepath.Glob(l.Agent("images", "*.tar.gz"))
	return files
}

// archived is the archive in agent/images whose manifest names the image, or "".
func archived(l layout.Layout, image string) string {
	for _, file := range archives(l) {
		manifest, err := manifestOf(file)
		if err != nil {
			logrus.Errorf("Failed to load images from %s: %v", file, err)
			continue
		}
		for _, entry := range manifest {
			if slices.Contains(entry.RepoTags, "docker.io/"+image) {
				return file
			}
		}
	}
	return ""
}

// manifestOf an archive of images, as docker save writes it.
func manifestOf(file string) (manifest []struct{ RepoTags []string }, err error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	unzipped, err := gzip.NewReader(opened)
	if err != nil {
		return nil, err
	}
	for members := tar.NewReader(unzipped); ; {
		member, err := members.Next()
		if err != nil {
			return nil, err
		}
		if member.Name == "manifest.json" {
			return manifest, json.NewDecoder(members).Decode(&manifest)
		}
	}
}
