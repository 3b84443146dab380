package etcd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"go.etcd.io/etcd/client/v3/snapshot"
	"go.uber.org/zap"
)

// Snapshot of etcd in this server's folder.
type Snapshot struct {
	Name     string    `json:"name"`
	Location string    `json:"location"`
	Size     int64     `json:"size"`
	Created  time.Time `json:"created"`
}

// Snapshots is a server's folder of them.
type Snapshots struct {
	Member *Member
	Folder string
	mu     sync.Mutex
}

// Save takes a snapshot and names it <name>-<node>-<unix time>. One is taken at a time.
func (s *Snapshots) Save(ctx context.Context, name string) (Snapshot, error) {
	if !s.mu.TryLock() {
		return Snapshot{}, errors.New("snapshot save already in progress")
	}
	defer s.mu.Unlock()
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return Snapshot{}, err
	}
	config, err := s.Member.clientConfig(fmt.Sprintf("https://127.0.0.1:%d", ClientPort))
	if err != nil {
		return Snapshot{}, err
	}
	file := fmt.Sprintf("%s-%s-%d", name, s.Member.NodeName, time.Now().Unix())
	path := filepath.Join(s.Folder, file)
	logrus.Infof("Saving etcd snapshot to %s", path)
	if _, err := snapshot.SaveWithVersion(ctx, zap.NewNop(), config, path); err != nil {
		logrus.Errorf("Failed to take etcd snapshot: %v", err)
		return Snapshot{}, err
	}
	return s.describe(file)
}

// List is oldest first; a folder that is not there holds none.
func (s *Snapshots) List() ([]Snapshot, error) {
	entries, err := os.ReadDir(s.Folder)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var all []Snapshot
	for _, entry := range entries {
		if entry.IsDir() || strings.HasSuffix(entry.Name(), ".part") {
			continue
		}
		one, err := s.describe(entry.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Snapshot) int {
		if order := a.Created.Compare(b.Created); order != 0 {
			return order
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all, nil
}

// Delete removes those of the named that are there, and returns their names.
func (s *Snapshots) Delete(names []string) (deleted []string, err error) {
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if !slices.Contains(names, one.Name) {
			continue
		}
		logrus.Infof("Removing given etcd snapshot: %s", one.Name)
		if err := os.Remove(filepath.Join(s.Folder, one.Name)); err != nil {
			return deleted, err
		}
		deleted = append(deleted, one.Name)
	}
	return deleted, nil
}

// Prune keeps the newest of this node's snapshots with that name and deletes the others; keep < 1 keeps all.
func (s *Snapshots) Prune(name string, keep int) (deleted []string, err error) {
	all, err := s.List()
	if err != nil || keep < 1 {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(one Snapshot) bool {
		return !strings.HasPrefix(one.Name, name+"-"+s.Member.NodeName+"-")
	})
	var old []string
	for _, one := range all[:max(0, len(all)-keep)] {
		old = append(old, one.Name)
	}
	return s.Delete(old)
}

// describe takes the time of creation from the name, as RKE2 does, else from the file.
func (s *Snapshots) describe(name string) (Snapshot, error) {
	path := filepath.Join(s.Folder, name)
	info, err := os.Stat(path)
	if err != nil {
		return Snapshot{}, err
	}
	created := info.ModTime()
	if seconds, err := strconv.ParseInt(name[strings.LastIndexByte(name, '-')+1:], 10, 64); err == nil {
		created = time.Unix(seconds, 0)
	}
	return Snapshot{Name: name, Location: "file://" + path, Size: info.Size(), Created: created.UTC()}, nil
}
