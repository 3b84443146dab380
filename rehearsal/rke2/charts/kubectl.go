package charts

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"

	"rehearsal/rke2/layout"
	"rehearsal/rke2/release"
)

// Kubectl runs the release's kubectl as the cluster's administrator, against this node's API server, and returns what
// it prints. The error carries what it prints to stderr.
func Kubectl(ctx context.Context, l layout.Layout, stdin []byte, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, l.Bin("kubectl"), append([]string{"--kubeconfig=" + l.Server("cred/admin.kubeconfig")}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	cmd.Env = []string{"HOME=/root", "PATH=" + l.Bin(), "REHEARSAL_RELEASE=" + release.Version}
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("kubectl %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}
