import * as pulumi from "@pulumi/pulumi";
import { type ClusterNode, restoreTestNode, snapshotName } from "../config";
import { VmSnapshot } from "../proxmox/vmSnapshot";
import { EtcdBackup } from "./etcdBackup";
import { join } from "./join";
import { RestoreTest } from "./restoreTest";
import { type Link, type Run, step } from "./step";
import { checkHealth, leaderAway, restorePoint } from "./turns";

/**
 * The way back (design: the order of a change): a snapshot of every VM, servers one at a time with health between and
 * etcd's leadership moved away first, agents side by side; the proof that one of them can be restored; then an etcd
 * snapshot, brought off its node. Named by the accepted version and the change, so that nothing but acceptance ever lets
 * it go.
 */
export class WayBack extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;
  /** The encrypted etcd snapshot on this machine. */
  readonly etcdBackup: EtcdBackup;

  constructor(
    name: string,
    { run, after }: { run: Run; after: pulumi.Resource },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("rke2:components:WayBack", name, {}, opts);
    const { settings } = run;
    const { acceptedVersion, changeId } = settings;
    const snapshot = (node: ClusterNode, dependsOn: pulumi.Resource) =>
      new VmSnapshot(
        `${node.name}-vm-snapshot`,
        {
          name: snapshotName(acceptedVersion, changeId),
          vmId: node.vmId,
          acceptedVersion,
          description: `${node.name} before ${changeId}`,
        },
        // Only acceptance deletes: not destroy, not a failure, not a resource that leaves the program.
        { parent: this, dependsOn: [dependsOn], retainOnDelete: true },
      );

    let tail = after;
    const { enabled } = settings.restoreTest;
    const tested = restoreTestNode(settings);
    for (const server of settings.servers) {
      if (enabled && server === tested) {
        const place = { parent: this, after: tail };
        tail = step(run, place, `${server.name}-restore-point`, restorePoint(settings, server));
      }
      const paused = step(
        run,
        { parent: this, after: tail },
        `${server.name}-leader-away`,
        leaderAway(settings, server),
      );
      const taken = snapshot(server, paused);
      tail = step(
        run,
        { parent: this, after: taken },
        `${server.name}-check-health`,
        checkHealth(settings, server),
      );
    }
    const ofServers = tail;
    if (settings.agents.length > 0) {
      tail = join(
        run,
        this,
        `${name}-join`,
        settings.agents.map((agent) => snapshot(agent, ofServers)),
      );
    }
    const { owner } = run.change;
    tail = new RestoreTest(
      `${name}-restore-test`,
      { enabled, node: tested.name, accepted: acceptedVersion, changeId, owner },
      { parent: this, dependsOn: [tail] },
    );
    this.etcdBackup = new EtcdBackup(
      `${name}-etcd-backup`,
      { accepted: acceptedVersion, changeId },
      { parent: this, dependsOn: [tail], retainOnDelete: true },
    );
    this.tail = this.etcdBackup;
    this.registerOutputs({ etcdBackup: this.etcdBackup.file });
  }
}
