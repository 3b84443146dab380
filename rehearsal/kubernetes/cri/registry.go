package cri

import (
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// registryDown is a file that says that this machine reaches no registry with RKE2's images (rehearsal/rke2/node/stage.go).
// What else runs here the site has a registry for.
var registryDown = "/etc/rehearsal/faults/registry-down"

// ofRKE2 are the images that a release brings: no others are named so.
var ofRKE2 = regexp.MustCompile(`-build\d+$`)

// reachable fails as a pull does where no registry answers.
func reachable(name string) error {
	if _, err := os.Stat(registryDown); err != nil || !ofRKE2.MatchString(name) {
		return nil
	}
	return status.Errorf(codes.Unknown, "failed to pull and unpack image %q: failed to resolve image: failed to do request: dial tcp: lookup registry-1.docker.io: no such host", name)
}

// fullName is an image's with the registry and folder that are meant where none is named, as containerd has it.
func fullName(tag string) string {
	first, _, isPath := strings.Cut(tag, "/")
	switch {
	case !isPath:
		return "docker.io/library/" + tag
	case first != "localhost" && !strings.ContainsAny(first, ".:"):
		return "docker.io/" + tag
	}
	return tag
}

// takeIn records what RKE2 has imported: files of names, which go when that is done. Called with mu held.
func (i *Images) takeIn() {
	lists, _ := filepath.Glob(filepath.Join(i.imported, "*"))
	for _, list := range lists {
		names, err := os.ReadFile(list)
		for _, name := range strings.Fields(string(names)) {
			if err == nil {
				_, err = i.record(name)
			}
		}
		if err == nil {
			err = os.Remove(list)
		}
		if err != nil {
			log.Printf("images of %s: %v", list, err)
		}
	}
}

// record keeps an image that is here now. Called with mu held.
func (i *Images) record(tag string) (Image, error) {
	image := Image{ID: imageID(tag), Tag: fullName(tag)}
	if err := i.records.save(recordName(image.ID), image); err != nil {
		return Image{}, err
	}
	i.pulled[recordName(image.ID)] = image
	return image, nil
}
