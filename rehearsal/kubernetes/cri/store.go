package cri

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// store keeps records as one JSON file each, in <dir>/<id>.json. Every write is atomic: after a SIGKILL a record is
// the old one or the new one.
type store[R any] struct{ dir string }

// newStore makes the folder.
func newStore[R any](dir string) (store[R], error) {
	return store[R]{dir}, os.MkdirAll(dir, 0o700)
}

// save writes a record.
func (s store[R]) save(id string, record R) error {
	return writeJSON(s.path(id), record)
}

// delete forgets a record; one that is not there is no error.
func (s store[R]) delete(id string) error {
	if err := os.Remove(s.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// load reads all records by their IDs.
func (s store[R]) load() (map[string]R, error) {
	paths, err := filepath.Glob(filepath.Join(s.dir, "*.json"))
	if err != nil {
		return nil, err
	}
	records := make(map[string]R, len(paths))
	for _, path := range paths {
		var record R
		if err := readJSON(path, &record); err != nil {
			return nil, err
		}
		name := filepath.Base(path)
		records[name[:len(name)-len(".json")]] = record
	}
	return records, nil
}

func (s store[R]) path(id string) string { return filepath.Join(s.dir, id+".json") }

// readJSON reads a file into value; the error names the file.
func readJSON(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// writeFile replaces a file atomically. It does not wait for the disk: a machine of the rehearsal loses no page cache.
func writeFile(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // of no effect once renamed
	_, err = file.Write(data)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// writeJSON replaces a file by value's JSON.
func writeJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, data)
}
