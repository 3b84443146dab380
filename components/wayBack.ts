import * as pulumi from "@pulumi/pulumi";
import { type ClusterNode, snapshotName } from "../config";
import { VmSnapshot } from "../proxmox/vmSnapshot";
import { EtcdBackup } from "./etcdBackup";
import { join } from "./join";
import { type Link, type Run, step } from "./step";
import { checkHealth, leaderAway } from "./turns";

/**
 * The way back (design: the order of a change): a snapshot of every VM, servers one at a time with health between and
 * etcd's leadership moved away first, agents side by side; then an etcd snapshot, brought off its node. Named by the
 * accepted version and the change, so that nothing but acceptance ever lets it go.
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
    for (const server of settings.servers) {
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
    this.etcdBackup = new EtcdBackup(
      `${name}-etcd-backup`,
      { accepted: acceptedVersion, changeId },
      { parent: this, dependsOn: [tail], retainOnDelete: true },
    );
    this.tail = this.etcdBackup;
    this.registerOutputs({ etcdBackup: this.etcdBackup.file });
  }
}
