package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"rehearsal/rke2/etcd"
	"rehearsal/rke2/layout"
	"rehearsal/rke2/node"
	"rehearsal/rke2/release"
)

// Reset makes this server the only member of a new cluster, from a snapshot, and returns. The server must not run. A
// reset-flag in server/db, which the next ordinary start removes, keeps it from being done twice in a row.
func Reset(ctx context.Context, c *Config, snapshot string) error {
	if c.JoinURL != "" {
		return errors.New("cannot perform cluster-reset while server URL is set - remove server from configuration before resetting")
	}
	flag := resetFlag(c.Layout)
	if layout.Exists(flag) {
		return fmt.Errorf("managed etcd cluster membership was previously reset, please remove the cluster-reset flag and start %s normally. "+
			"If you need to perform another cluster reset, you must first manually delete the file at %s", "rke2", flag)
	}
	if snapshot == "" {
		return errors.New("--cluster-reset without --cluster-reset-restore-path is not in the rehearsal")
	}
	if !layout.Exists(snapshot) {
		return fmt.Errorf("etcd: snapshot path does not exist: %s", snapshot)
	}
	if before, err := tokenFile(c.Layout); err != nil || before.Password == "" && c.Token == "" {
		return errors.Join(errors.New("a token is required to restore a snapshot"), err)
	}
	if err := node.StageBinaries(c.Layout); err != nil {
		return err
	}
	if err := stopControlPlane(ctx, c); err != nil {
		return err
	}
	old := fmt.Sprintf("%s-old-%d", c.Layout.Etcd(), time.Now().Unix())
	if layout.Exists(c.Layout.Etcd()) {
		if err := os.Rename(c.Layout.Etcd(), old); err != nil {
			return err
		}
		logrus.Infof("Pre-restore etcd database moved to %s", old)
	}
	member, err := etcd.NewMember(c.Layout, c.Node.Name, c.Node.IP)
	if err != nil {
		return err
	}
	if err := restore(ctx, c.Layout, member, snapshot); err != nil {
		return err
	}
	if err := layout.Write(flag, nil, 0o600); err != nil {
		return err
	}
	logrus.Info("Managed etcd cluster membership has been reset, restart without --cluster-reset flag now. " +
		"Backup and delete ${datadir}/server/db on each peer etcd server and rejoin the nodes")
	return nil
}

func resetFlag(l layout.Layout) string { return l.Server("db/reset-flag") }

// restore unpacks a snapshot into the member's data, with a revision so much higher that no watcher can miss that
// everything has changed.
func restore(ctx context.Context, l layout.Layout, member *etcd.Member, snapshot string) error {
	unpacked := l.Server("db/etcd-restored")
	if err := os.RemoveAll(unpacked); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(l.Images, "hardened-etcd", release.Etcd, "bin/etcdutl"), "snapshot", "restore", snapshot,
		"--name", member.Name, "--initial-cluster", member.Name+"="+member.PeerURL(), "--initial-advertise-peer-urls", member.PeerURL(),
		"--data-dir", unpacked, "--bump-revision", "1000000000", "--mark-compacted")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("etcd: failed to restore %s: %w: %s", snapshot, err, strings.TrimSpace(string(output)))
	}
	if err := os.Rename(filepath.Join(unpacked, "member"), l.Etcd("member")); err != nil {
		return err
	}
	return os.RemoveAll(unpacked)
}

// stopControlPlane ends this node's API server and etcd, which outlive the service.
func stopControlPlane(ctx context.Context, c *Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer c.Node.Wait()
	defer cancel()
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"} {
		if err := os.Remove(c.Layout.Agent("pod-manifests", name+".yaml")); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	runtime, err := c.Node.StartContainerd(ctx)
	if err != nil {
		return err
	}
	defer runtime.Close()
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"} {
		if err := runtime.Remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
