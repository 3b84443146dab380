import * as pulumi from "@pulumi/pulumi";
import { type ClusterNode, restoreTestNode, snapshotName } from "../config";
import { snapshotDescription } from "../proxmox/mark";
import { VmSnapshot } from "../proxmox/vmSnapshot";
import { EtcdBackup } from "./etcdBackup";
import { join } from "./join";
import { RestoreTest } from "./restoreTest";
import { type Link, type Run, step } from "./step";
import { checkHealth, leaderAway, type PlannedStep, releaseHold, restorePoint } from "./turns";

/**
 * The way back: a snapshot of every VM, servers one at a time with health between and etcd's leadership moved away
 * first, agents side by side; the proof that one of them can be restored; then an etcd snapshot, brought off its node.
 * Named by the accepted version and the change, so that nothing but acceptance ever lets it go.
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
    const taken = settings.goBack ? this.keep(run, name, after) : this.take(run, name, after);
    const tested = new RestoreTest(
      `${name}-restore-test`,
      {
        enabled: settings.restoreTest.enabled,
        node: restoreTestNode(settings).name,
        accepted: acceptedVersion,
        changeId,
        owner: run.change.owner,
      },
      { parent: this, dependsOn: [taken] },
    );
    this.etcdBackup = new EtcdBackup(
      `${name}-etcd-backup`,
      { accepted: acceptedVersion, changeId },
      { parent: this, dependsOn: [tested], retainOnDelete: true },
    );
    this.tail = this.etcdBackup;
    this.registerOutputs({ etcdBackup: this.etcdBackup.file });
  }

  /** Takes every snapshot, once. @returns the last of it */
  private take(run: Run, name: string, after: pulumi.Resource): pulumi.Resource {
    const { settings } = run;
    let tail = after;
    const { enabled } = settings.restoreTest;
    for (const server of settings.servers) {
      const then = (id: PlannedStep, previous: pulumi.Resource) =>
        step(run, { parent: this, after: previous }, `${server.name}-${id.id}`, id);
      if (enabled && server === restoreTestNode(settings)) tail = then(restorePoint(settings, server), tail);
      const paused = then(leaderAway(settings, server), tail);
      const taken = this.snapshot(run, server, paused);
      tail = then(checkHealth(settings, server), then(releaseHold(settings, server), taken));
    }
    const ofServers = tail;
    if (settings.agents.length === 0) return tail;
    const ofAgents = settings.agents.map((agent) => this.snapshot(run, agent, ofServers));
    return join(run, this, `${name}-join`, ofAgents);
  }

  /** While going back: what exists stays declared, so that it stays; nothing is taken and nobody is asked. */
  private keep(run: Run, name: string, after: pulumi.Resource): pulumi.Resource {
    const kept = run.settings.nodes.map((node) => this.snapshot(run, node, after));
    return join(run, this, `${name}-join`, kept);
  }

  private snapshot(
    { settings: { acceptedVersion, changeId }, change }: Run,
    node: ClusterNode,
    after: pulumi.Resource,
  ): VmSnapshot {
    return new VmSnapshot(
      `${node.name}-vm-snapshot`,
      {
        name: snapshotName(acceptedVersion, changeId),
        vmId: node.vmId,
        acceptedVersion,
        description: snapshotDescription(node, changeId),
        owner: change.owner,
      },
      // Only acceptance deletes: not destroy, not a failure, not a resource that leaves the program.
      { parent: this, dependsOn: [after], retainOnDelete: true },
    );
  }
}
