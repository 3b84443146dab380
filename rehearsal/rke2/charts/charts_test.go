package charts

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestSelect(t *testing.T) {
	always := []string{"rke2-canal", "rke2-coredns", "rke2-metrics-server"}
	with := func(more ...string) []string { return append(slices.Clone(always), more...) }
	for name, test := range map[string]struct {
		minor                           int
		controllers, disabled, existing []string
		want                            []string
	}{
		"1.35":                          {35, nil, nil, nil, with("rke2-ingress-nginx")},
		"1.35, nginx disabled":          {35, nil, []string{"rke2-ingress-nginx"}, nil, always},
		"1.36, new":                     {36, nil, nil, nil, with("rke2-traefik")},
		"1.36, with nginx from before":  {36, nil, nil, []string{"rke2-ingress-nginx"}, with("rke2-ingress-nginx")},
		"1.36, nginx disabled before":   {36, nil, []string{"rke2-ingress-nginx"}, nil, with("rke2-traefik")},
		"1.36, none":                    {36, []string{"none"}, nil, nil, always},
		"1.36, both":                    {36, []string{"ingress-nginx", "traefik"}, nil, nil, with("rke2-ingress-nginx", "rke2-traefik")},
		"1.35, traefik chosen":          {35, []string{"traefik"}, nil, nil, with("rke2-traefik")},
		"coredns disabled, none chosen": {36, []string{"none"}, []string{"rke2-coredns"}, nil, []string{"rke2-canal", "rke2-metrics-server"}},
	} {
		if got := Select(test.minor, test.controllers, test.disabled, test.existing); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestManifestsAreObjects(t *testing.T) {
	for _, one := range parsed.Templates() {
		content, err := render(one.Name(), chart{"rke2-canal", "v1.35.4+rke2r1", "20260101", 0})
		if err != nil {
			t.Fatal(err)
		}
		decoder := yaml.NewDecoder(bytes.NewReader(content))
		for {
			var object struct {
				Kind     string
				Metadata struct{ Name string }
			}
			err := decoder.Decode(&object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || object.Kind == "" || object.Metadata.Name == "" {
				t.Errorf("%s: %+v, %v", one.Name(), object, err)
				break
			}
		}
	}
	for _, name := range all {
		if parsed.Lookup(name+".yaml") == nil {
			t.Errorf("%s has no manifest", name)
		}
	}
}
