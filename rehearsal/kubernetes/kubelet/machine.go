package kubelet

import (
	"bufio"
	"context"
	"os"
	"strings"
	"time"

	cadvisorapi "github.com/google/cadvisor/info/v1"
	cadvisorapiv2 "github.com/google/cadvisor/info/v2"
	"golang.org/x/sys/unix"
	"k8s.io/kubernetes/pkg/kubelet/cadvisor"
)

// diskBytes is the size of the lab's system disks; half of it is reported as free, whatever the rehearsal's host has
// left, so that a full laptop does not evict the rehearsal's pods.
const diskBytes = 32 << 30

// machine stands in for cAdvisor: the capacity it is told, a quarter of the memory and half of the disk in use, and
// the true kernel and operating system.
type machine struct {
	info    cadvisorapi.MachineInfo
	version cadvisorapi.VersionInfo
}

var _ cadvisor.Interface = (*machine)(nil)

// newMachine describes a machine with the given cpu and memory (Kubernetes quantities; 4 and 16Gi if absent).
func newMachine(capacity map[string]string) (*machine, error) {
	list, err := quantities(map[string]string{"cpu": "4", "memory": "16Gi"})
	if err != nil {
		return nil, err
	}
	given, err := quantities(capacity)
	if err != nil {
		return nil, err
	}
	for name, quantity := range given {
		list[name] = quantity
	}
	return &machine{
		info: cadvisorapi.MachineInfo{
			NumCores:       int(list.Cpu().Value()),
			MemoryCapacity: uint64(list.Memory().Value()),
			MachineID:      readLine("/etc/machine-id"),
			SystemUUID:     readLine("/etc/machine-id"),
			BootID:         readLine("/proc/sys/kernel/random/boot_id"),
			InstanceID:     cadvisorapi.InstanceID(hostname()),
		},
		version: cadvisorapi.VersionInfo{
			KernelVersion:      kernelRelease(),
			ContainerOsVersion: osPrettyName("/etc/os-release"),
		},
	}, nil
}

// Start does nothing: there is nothing to watch.
func (m *machine) Start() error { return nil }

// ContainerInfoV2 answers for every cgroup as for the root, of which the kubelet asks, and for the pods' in its stead.
func (m *machine) ContainerInfoV2(name string, _ cadvisorapiv2.RequestOptions) (map[string]cadvisorapiv2.ContainerInfo, error) {
	used := m.info.MemoryCapacity / 4
	return map[string]cadvisorapiv2.ContainerInfo{name: {
		Spec: cadvisorapiv2.ContainerSpec{
			HasMemory: true,
			Memory:    cadvisorapiv2.MemorySpec{Limit: m.info.MemoryCapacity},
		},
		Stats: []*cadvisorapiv2.ContainerStats{{
			Timestamp: time.Now(),
			Memory:    &cadvisorapi.MemoryStats{Usage: used, WorkingSet: used, RSS: used},
		}},
	}}, nil
}

// GetRequestedContainersInfo knows no containers.
func (m *machine) GetRequestedContainersInfo(string, cadvisorapiv2.RequestOptions) (map[string]*cadvisorapi.ContainerInfo, error) {
	return map[string]*cadvisorapi.ContainerInfo{}, nil
}

// MachineInfo returns a copy, since the kubelet changes what it gets.
func (m *machine) MachineInfo() (*cadvisorapi.MachineInfo, error) {
	info := m.info
	return &info, nil
}

// VersionInfo returns the true kernel and operating system.
func (m *machine) VersionInfo() (*cadvisorapi.VersionInfo, error) { return &m.version, nil }

// ImagesFsInfo is the one disk.
func (m *machine) ImagesFsInfo(context.Context) (cadvisorapiv2.FsInfo, error) { return disk(), nil }

// RootFsInfo is the one disk.
func (m *machine) RootFsInfo() (cadvisorapiv2.FsInfo, error) { return disk(), nil }

// ContainerFsInfo is the one disk.
func (m *machine) ContainerFsInfo(context.Context) (cadvisorapiv2.FsInfo, error) { return disk(), nil }

// GetDirFsInfo is the one disk.
func (m *machine) GetDirFsInfo(string) (cadvisorapiv2.FsInfo, error) { return disk(), nil }

func disk() cadvisorapiv2.FsInfo {
	inodes, free := uint64(diskBytes/16384), uint64(diskBytes/16384/2) // ext4's one inode for 16 KiB
	return cadvisorapiv2.FsInfo{
		Timestamp:  time.Now(),
		Device:     "/dev/sda1",
		Mountpoint: "/",
		Capacity:   diskBytes,
		Available:  diskBytes / 2,
		Usage:      diskBytes / 2,
		Inodes:     &inodes,
		InodesFree: &free,
	}
}

func kernelRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

func readLine(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func osPrettyName(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return "Linux"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "PRETTY_NAME="); found {
			return strings.Trim(value, `"`)
		}
	}
	return "Linux"
}
