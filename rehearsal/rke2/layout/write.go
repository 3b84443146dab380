package layout

import (
	"bytes"
	"os"
	"path/filepath"
)

// Write replaces a file atomically and makes its folder if need be. A file with that content is left alone.
func Write(path string, content []byte, mode os.FileMode) error {
	if existing, err := os.ReadFile(path); err == nil && bytes.Equal(existing, content) {
		return os.Chmod(path, mode)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// Not in the same folder: the kubelet would take a temporary manifest for a pod.
	temporary, err := os.CreateTemp(filepath.Dir(filepath.Dir(path)), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // of no effect once renamed
	_, err = temporary.Write(content)
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(temporary.Name(), mode); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// Exists tells whether something is at the path.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
