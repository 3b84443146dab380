// Package node reads what the rehearsal says about the machine it runs on.
package node

import (
	"encoding/json"
	"os"
)

// SettingsFile is written by the rehearsal when it makes a machine.
const SettingsFile = "/etc/rehearsal/node.json"

// Settings of one machine. Other programs of the rehearsal keep theirs in the same file.
type Settings struct {
	// ExtendedResources that a device plugin would report, as nvidia.com/gpu → "1".
	ExtendedResources map[string]string `json:"extendedResources"`
	// Capacity of the machine: cpu and memory as Kubernetes quantities.
	Capacity map[string]string `json:"capacity"`
	// UseWholeGrace makes every simulated container take its whole grace to stop.
	UseWholeGrace bool `json:"useWholeGrace"`
}

// Load reads the machine's settings. A file that is missing or not JSON counts as empty: a node without settings is an
// ordinary node, and the file may be replaced while it is read.
func Load() Settings { return LoadFile(SettingsFile) }

// LoadFile is Load for another file.
func LoadFile(path string) Settings {
	var settings Settings
	data, err := os.ReadFile(path)
	if err == nil && json.Unmarshal(data, &settings) != nil {
		settings = Settings{}
	}
	return settings
}
