import { randomUUID } from "node:crypto";
import { type ClusterNode, restoreTestNode, snapshotName } from "../config";
import { withNode } from "../observe";
import type { ProxmoxClient } from "../proxmox/client";
import { withProxmox } from "../proxmox/connect";
import { runInGuest, waitForAgent } from "../proxmox/guestAgent";
import { isOwn } from "../proxmox/mark";
import { listSnapshots } from "../proxmox/snapshots";
import { bootTestVm, cloneKind, destroyTestVm, NOT_OURS, type TestVm } from "../proxmox/testVm";
import { findVm, listVms } from "../proxmox/vms";
import { bareText, restoreCheckText, shellWord } from "../scripts";
import type { ProviderContext } from "./providerConfig";
import type { RestoreTestInputs } from "./restoreTestProvider";

/** What a restore test found. No secret. */
export interface RestoreFinding {
  readonly result: "passed" | "not run";
  /** What it proves, or why it was not run. */
  readonly why: string;
  /** How the snapshot was cloned; empty where it was not. */
  readonly clone: string;
  /** What was measured in the clone (scripts/restore-check.sh), as its JSON says it. */
  readonly evidence: Readonly<Record<string, string | number>>;
  readonly seconds: number;
}

/** The restore's own part in the time that the whole test has; the rest is for cloning and booting. */
const START_SHARE = 0.3;

/** What every test VM's name begins with. */
const NAME = "restore-test-";

/** Time to destroy the test VM, whatever the test has used up: a hard stop, then its volumes. */
const DESTROY_SECONDS = 120;

/**
 * Tests that a server's VM snapshot and an etcd snapshot can be restored. The clone is destroyed whatever happens; what
 * an earlier run that was killed has left is found by its mark and destroyed first.
 * @throws with what the clone said, where the way back does not hold
 */
export async function testRestore(
  context: ProviderContext,
  { enabled, node: name, owner }: RestoreTestInputs,
): Promise<RestoreFinding> {
  const { settings, proxmoxTokenSecret } = context;
  const { restoreTest, acceptedVersion, changeId, limits } = settings;
  const started = Date.now();
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);
  const deadline = inSeconds(limits.restoreTestSeconds);
  const notRun = (why: string): RestoreFinding => ({
    result: "not run",
    why,
    clone: "",
    evidence: {},
    seconds: 0,
  });
  return withProxmox(settings, proxmoxTokenSecret, async (client) => {
    await destroyTestVm(client, { vmId: restoreTest.vmId, owner }, deadline);
    if (!enabled) return notRun("restoreTest.enabled is false");
    const node = settings.servers.find((server) => server.name === name) as ClusterNode;
    const { host } = await findVm(client, node.vmId);
    const snapshot = await newestSnapshot(
      client,
      host,
      node.vmId,
      snapshotName(acceptedVersion, changeId),
      acceptedVersion,
    );
    const kind = await cloneKind(client, host, node.vmId, snapshot);
    if (kind === "none") {
      return notRun(
        `the storage of VM ${node.vmId} cannot clone a snapshot (ZFS cannot): test it by hand, from a backup`,
      );
    }
    if (kind === "full" && !restoreTest.fullClone) {
      return notRun(
        `the storage of VM ${node.vmId} can clone a snapshot only by copying every disk: set restoreTest.fullClone to true to have that done`,
      );
    }
    const vm: TestVm = {
      ...{ host, origin: node.vmId, snapshot, owner, run: randomUUID() },
      ...{ vmId: restoreTest.vmId, name: `${NAME}${changeId}`.toLowerCase().replaceAll("_", "-") },
    };
    const evidence = await inClone(client, vm, kind === "full", deadline, () =>
      check(client, vm, node, context, deadline),
    );
    return {
      result: "passed",
      why: `snapshot ${snapshot} of ${name} boots, its etcd snapshot is restored and serves: ${evidence.unchanged} of ${evidence.keys} keys as they were saved, ${evidence.written} written since, ${evidence.missing} missing; restored in ${evidence.restoreSeconds} s, serving ${evidence.startSeconds} s later`,
      clone: kind,
      evidence,
      seconds: Math.round((Date.now() - started) / 1000),
    };
  });
}

/**
 * Lets go what the restore test of a change has left: the etcd snapshot on its server, by its exact name, and the VM of
 * one that was killed and never run again.
 */
export async function releaseRestoreTest(
  context: ProviderContext,
  owner: string,
  changeId: string,
): Promise<void> {
  const { settings, sshPrivateKey, proxmoxTokenSecret } = context;
  const server = restoreTestNode(settings);
  const { code, stderr } = await withNode(server, sshPrivateKey, (session) =>
    session.exec(`sudo -n bash -s -- restore-point-release ${shellWord(changeId)}`, {
      stdin: bareText("restore-point-release"),
      timeoutMs: settings.limits.gateSeconds * 1000,
    }),
  );
  if (code !== 0)
    throw new Error(stderr.trim() || `${server.name}: restore-point-release ended with ${code}`);
  await destroyLeftOvers({ settings, proxmoxTokenSecret }, owner);
}

/**
 * Destroys the VM of a test that was killed, under whichever ID: restoreTest.vmId may have been changed since. Whatever
 * else bears such a name is left alone.
 * @throws where ours cannot be destroyed
 */
export async function destroyLeftOvers(
  { settings, proxmoxTokenSecret }: Pick<ProviderContext, "settings" | "proxmoxTokenSecret">,
  owner: string,
): Promise<void> {
  await withProxmox(settings, proxmoxTokenSecret, async (client) => {
    for (const { vmId } of (await listVms(client)).filter(({ name }) => name.startsWith(NAME))) {
      const deadline = new Date(Date.now() + DESTROY_SECONDS * 1000);
      await destroyTestVm(client, { vmId, owner }, deadline).catch((error: Error) => {
        if (!error.message.includes(NOT_OURS)) throw error;
      });
    }
  });
}

/** Makes the clone, uses it, and destroys it, whatever happens. A clone that cannot be destroyed is told with the rest. */
async function inClone<T>(
  client: ProxmoxClient,
  vm: TestVm,
  full: boolean,
  deadline: Date,
  use: () => Promise<T>,
): Promise<T> {
  const destroy = () => destroyTestVm(client, vm, new Date(Date.now() + DESTROY_SECONDS * 1000));
  let used: T;
  try {
    await bootTestVm(client, vm, full, deadline);
    used = await use();
  } catch (error) {
    const left = await destroy().then(
      () => "",
      (why) => `\nVM ${vm.vmId} could not be destroyed: ${why instanceof Error ? why.message : why}`,
    );
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `the restore test of ${vm.snapshot} (VM ${vm.origin}, cloned to ${vm.vmId}) failed, nothing was touched: ${reason}${left}\n  next: mend that and run pulumi up again; restoreTest.enabled false goes on without the proof`,
    );
  }
  await destroy();
  return used;
}

/** The newest of this change's snapshots of a VM. */
async function newestSnapshot(
  client: ProxmoxClient,
  host: string,
  vmId: number,
  name: string,
  accepted: string,
): Promise<string> {
  const ours = (await listSnapshots(client, host, vmId))
    .filter((one) => isOwn(one, name, accepted) && !one.unfinished)
    .sort((a, b) => b.takenAt.getTime() - a.takenAt.getTime());
  if (!ours[0])
    throw new Error(`VM ${vmId} has no snapshot ${name}. next: run pulumi up again, it takes one`);
  return ours[0].name;
}

/** Has the clone restore the etcd snapshot that lies in it. @returns what it measured */
async function check(
  client: ProxmoxClient,
  vm: TestVm,
  node: ClusterNode,
  { settings }: ProviderContext,
  deadline: Date,
): Promise<RestoreFinding["evidence"]> {
  const { acceptedVersion, changeId, limits } = settings;
  const startSeconds = Math.floor(limits.restoreTestSeconds * START_SHARE);
  await waitForAgent(client, vm, deadline);
  // The script is all of the input, and must not be eaten by what it starts.
  const whole =
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin exec bash -c "$(cat)" "$@" </dev/null';
  const words = ["restore-check", changeId, acceptedVersion, node.internalIp, String(startSeconds)];
  const { code, stdout, stderr } = await runInGuest(client, vm, {
    command: ["bash", "-c", whole, "restore-check", "restore-check", ...words],
    input: restoreCheckText(),
    deadline,
  });
  if (code !== 0) throw new Error(stderr.trim() || `the check ended with ${code}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}");
}
