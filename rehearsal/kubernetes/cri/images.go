package cri

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// imageBytes is the size that every image claims.
const imageBytes = 64 << 20

// Images is the image service. Its registry is a folder: <name>/<version>/bin/PROGRAM is what the image
// …/<name>:<version>-… holds, where the version is the tag up to its first hyphen. An image whose name is not in the
// folder is taken to exist, and runs simulated; one whose name is there but not its version does not exist. RKE2 imports
// others from archives (registry.go).
type Images struct {
	runtimeapi.UnimplementedImageServiceServer
	registry string
	// imported is the folder where RKE2 leaves the names of what it imports.
	imported string
	records  store[Image]
	mu       sync.Mutex
	pulled   map[string]Image // by ID
}

// Image is one that was pulled or imported.
type Image struct {
	ID string
	// Tag is its full name.
	Tag string
}

// newImages reads what was pulled before.
func newImages(registry, root string) (*Images, error) {
	records, err := newStore[Image](filepath.Join(root, "images"))
	if err != nil {
		return nil, err
	}
	pulled, err := records.load()
	return &Images{registry: registry, imported: filepath.Join(root, "imported"), records: records, pulled: pulled}, err
}

// program is the host path of a command of an image; "" if the image is simulated. An image that is in the registry
// but lacks the command or the version is an error, as it is for a real runtime.
func (i *Images) program(tag, command string) (string, error) {
	name, version := splitTag(tag)
	if _, err := os.Stat(filepath.Join(i.registry, name)); name == "" || err != nil {
		return "", nil
	}
	if err := i.exists(tag); err != nil {
		return "", err
	}
	program := filepath.Join(i.registry, name, version, "bin", path.Base(command))
	if _, err := os.Stat(program); err != nil {
		return "", fmt.Errorf("exec: %q: executable file not found in $PATH", command)
	}
	return program, nil
}

// exists fails as a registry does if it has the image's name but not its version.
func (i *Images) exists(tag string) error {
	name, version := splitTag(tag)
	if _, err := os.Stat(filepath.Join(i.registry, name)); name == "" || err != nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join(i.registry, name, version)); err != nil {
		return status.Errorf(codes.NotFound, "failed to pull and unpack image %q: failed to resolve image: %s: not found", tag, tag)
	}
	return nil
}

// splitTag cuts REGISTRY/PATH/NAME:VERSION-REST into name and version; the version is "" without a tag.
func splitTag(tag string) (name, version string) {
	tag, _, _ = strings.Cut(tag, "@")
	name, version, _ = strings.Cut(path.Base(tag), ":")
	version, _, _ = strings.Cut(version, "-")
	return name, version
}

// ListImages lists what was pulled or imported.
func (i *Images) ListImages(context.Context, *runtimeapi.ListImagesRequest) (*runtimeapi.ListImagesResponse, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.takeIn()
	response := &runtimeapi.ListImagesResponse{}
	for _, image := range i.pulled {
		response.Images = append(response.Images, image.message())
	}
	return response, nil
}

// ImageStatus finds an image by tag or ID; it answers with none if it is not here.
func (i *Images) ImageStatus(_ context.Context, request *runtimeapi.ImageStatusRequest) (*runtimeapi.ImageStatusResponse, error) {
	if image, found := i.find(request.GetImage().GetImage()); found {
		return &runtimeapi.ImageStatusResponse{Image: image.message()}, nil
	}
	return &runtimeapi.ImageStatusResponse{}, nil
}

// PullImage fails with NotFound for a version that the registry lacks, and for RKE2's where no registry is reached.
func (i *Images) PullImage(_ context.Context, request *runtimeapi.PullImageRequest) (*runtimeapi.PullImageResponse, error) {
	tag := request.GetImage().GetImage()
	if err := i.exists(tag); err != nil {
		return nil, err
	}
	if err := reachable(fullName(tag)); err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	image, err := i.record(tag)
	if err != nil {
		return nil, err
	}
	return &runtimeapi.PullImageResponse{ImageRef: image.ID}, nil
}

// RemoveImage forgets an image; one that is not there is no error.
func (i *Images) RemoveImage(_ context.Context, request *runtimeapi.RemoveImageRequest) (*runtimeapi.RemoveImageResponse, error) {
	image, found := i.find(request.GetImage().GetImage())
	if !found {
		return &runtimeapi.RemoveImageResponse{}, nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.pulled, recordName(image.ID))
	return &runtimeapi.RemoveImageResponse{}, i.records.delete(recordName(image.ID))
}

// ImageFsInfo reports a file system that is nearly empty, so that no image is ever collected.
func (i *Images) ImageFsInfo(context.Context, *runtimeapi.ImageFsInfoRequest) (*runtimeapi.ImageFsInfoResponse, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	usage := &runtimeapi.FilesystemUsage{
		Timestamp:  time.Now().UnixNano(),
		FsId:       &runtimeapi.FilesystemIdentifier{Mountpoint: "/"},
		UsedBytes:  &runtimeapi.UInt64Value{Value: uint64(len(i.pulled)) * imageBytes},
		InodesUsed: &runtimeapi.UInt64Value{Value: uint64(len(i.pulled))},
	}
	return &runtimeapi.ImageFsInfoResponse{
		ImageFilesystems:     []*runtimeapi.FilesystemUsage{usage},
		ContainerFilesystems: []*runtimeapi.FilesystemUsage{usage},
	}, nil
}

// find looks an image up by its tag or its ID.
func (i *Images) find(reference string) (Image, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.takeIn()
	if image, found := i.pulled[recordName(reference)]; found {
		return image, true
	}
	image, found := i.pulled[recordName(imageID(reference))]
	return image, found
}

func (i Image) message() *runtimeapi.Image {
	name, _, _ := strings.Cut(i.Tag, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	return &runtimeapi.Image{
		Id:          i.ID,
		RepoTags:    []string{i.Tag},
		RepoDigests: []string{name + "@" + i.ID},
		Size:        imageBytes,
		Spec:        &runtimeapi.ImageSpec{Image: i.Tag},
	}
}

// imageID is made of the full name, since there is no content to make it of.
func imageID(tag string) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(fullName(tag))))
}

func recordName(id string) string { return strings.TrimPrefix(id, "sha256:") }
