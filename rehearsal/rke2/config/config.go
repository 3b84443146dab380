// Package config reads RKE2's configuration files. As in RKE2, a file is a way to write the command line: its keys
// are the flags' names without dashes.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
)

// Args reads the file and, in order of their names, the *.yaml in the folder path + ".d". A key in a later file
// replaces one in an earlier, or adds to it if written with a trailing +. It returns the keys that known accepts as
// --key=value arguments, a list as one argument an element, and the names of the others. No file at all is no error;
// one that is not a YAML mapping is.
func Args(path string, known func(flag string) bool) (args, unknown []string, err error) {
	files, err := filepath.Glob(filepath.Join(path+".d", "*.y*ml"))
	if err != nil {
		return nil, nil, err
	}
	sort.Strings(files)
	var keys []string
	values := map[string][]string{}
	for _, file := range append([]string{path}, files...) {
		document, err := read(file)
		if err != nil {
			return nil, nil, err
		}
		for i := 0; i+1 < len(document); i += 2 {
			name, adds := strings.CutSuffix(document[i].Value, "+")
			list, err := scalars(document[i+1])
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %s: %w", file, name, err)
			}
			if _, seen := values[name]; !seen {
				keys = append(keys, name)
			} else if adds {
				list = append(values[name], list...)
			}
			values[name] = list
		}
	}
	for _, key := range keys {
		if !known(key) {
			unknown = append(unknown, key)
			continue
		}
		for _, value := range values[key] {
			args = append(args, "--"+key+"="+value)
		}
	}
	return args, unknown, nil
}

// read returns a file's mapping as alternating keys and values; nothing for a file that is missing or empty.
func read(file string) ([]*yaml.Node, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(document.Content) == 0 || document.Content[0].Tag == "!!null" {
		return nil, nil
	}
	if document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: not a mapping of keys to values", file)
	}
	return document.Content[0].Content, nil
}

// scalars flattens a value to the texts that were written: a list to its elements, null to none.
func scalars(node *yaml.Node) ([]string, error) {
	switch {
	case node.Kind == yaml.AliasNode:
		return scalars(node.Alias)
	case node.Kind == yaml.ScalarNode && node.Tag == "!!null":
		return nil, nil
	case node.Kind == yaml.ScalarNode:
		return []string{node.Value}, nil
	case node.Kind == yaml.SequenceNode:
		var all []string
		for _, element := range node.Content {
			texts, err := scalars(element)
			if err != nil {
				return nil, err
			}
			all = append(all, texts...)
		}
		return all, nil
	}
	return nil, errors.New("neither a scalar nor a list")
}
