package cri

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
)

// network gives pods addresses of the node's range. Nothing listens at them: simulated pods have no network.
type network struct {
	file string
	mu   sync.Mutex
	pods netip.Prefix
	last netip.Addr
}

// newNetwork reads the range that the kubelet last told. Before it told one, RKE2's cluster range 10.42.0.0/16 is cut
// by the host's name.
func newNetwork(root string) (*network, error) {
	n := &network{file: filepath.Join(root, "network.json")}
	var cidr string
	err := readJSON(n.file, &cidr)
	if errors.Is(err, fs.ErrNotExist) {
		host, _ := os.Hostname()
		hash := fnv.New32a()
		hash.Write([]byte(host))
		cidr, err = fmt.Sprintf("10.42.%d.0/24", hash.Sum32()%256), nil
	}
	if err != nil {
		return nil, err
	}
	n.pods, err = netip.ParsePrefix(cidr)
	n.last = n.pods.Masked().Addr()
	return n, err
}

// setRange changes the range for pods to come.
func (n *network) setRange(cidr string) error {
	pods, err := netip.ParsePrefix(cidr)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if pods == n.pods {
		return nil
	}
	n.pods, n.last = pods, pods.Masked().Addr()
	return writeJSON(n.file, cidr)
}

// allocate returns the next free address after the last one given, so that addresses are not reused at once.
func (n *network) allocate(taken map[string]bool) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	first := n.pods.Masked().Addr().Next() // the bridge's own
	for round := 0; round < 2; round++ {
		for address := n.last.Next(); n.pods.Contains(address); address = address.Next() {
			if address != first && n.pods.Contains(address.Next()) && !taken[address.String()] {
				n.last = address
				return address.String(), nil
			}
		}
		n.last = first
	}
	return "", fmt.Errorf("no address is left in %s", n.pods)
}
