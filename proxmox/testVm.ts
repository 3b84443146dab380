import { z } from "zod";
import type { ProxmoxClient } from "./client";
import { ProxmoxError } from "./errors";
import { waitUnlocked } from "./locks";
import { waitForTask } from "./tasks";
import { cardsIn, readConfig } from "./vmConfig";
import { isRunning, listVms } from "./vms";

const feature = z.object({
  hasFeature: z.union([z.boolean(), z.number(), z.string()]).transform((flag) => Number(flag) === 1),
});

/** What is cloned, and to which VM ID. */
export interface TestVm {
  readonly host: string;
  /** The VM whose snapshot is tested. */
  readonly origin: number;
  readonly snapshot: string;
  /** The test VM. */
  readonly vmId: number;
  readonly name: string;
  /** UUID of the change's state: only a test VM that bears it is ever destroyed. */
  readonly owner: string;
  /** UUID of this run of the test. */
  readonly run: string;
}

/** The description by which a test VM is known for ours, and as one that may go. */
const markOf = (owner: string): string => `rke2-upgrade: restore test of ${owner}, to be destroyed`;

/** What the refusal to destroy another's VM says. */
export const NOT_OURS = "is not this change's restore test";

/** Its second line: a run that its killed engine left behind must not destroy the VM of the one after it. */
const runOf = (run: string): string => `run ${run}`;

/** How the storage can clone a snapshot: sharing its blocks, by copying every disk, or not at all (ZFS). */
export async function cloneKind(
  client: ProxmoxClient,
  host: string,
  vmId: number,
  snapshot: string,
): Promise<"linked" | "full" | "none"> {
  const can = async (wanted: string) => {
    const query = new URLSearchParams({ feature: wanted, snapname: snapshot });
    return (await client.get(`/nodes/${host}/qemu/${vmId}/feature?${query}`, feature)).hasFeature;
  };
  if (await can("clone")) return "linked";
  return (await can("copy")) ? "full" : "none";
}

/**
 * Clones a snapshot to the test VM and boots it with every network cable out: it has its origin's address and name, and
 * must never meet it. Its config is read again before it is started.
 * @throws ProxmoxError with Proxmox VE's own words
 */
export async function bootTestVm(
  client: ProxmoxClient,
  vm: TestVm,
  full: boolean,
  deadline: Date,
): Promise<void> {
  const { host, origin, snapshot, vmId, name, owner, run } = vm;
  const done = async (upid: string) => waitForTask(client, upid, deadline);
  const form = { newid: String(vmId), name, snapname: snapshot, full: full ? "1" : "0" };
  await done(
    await client.post(`/nodes/${host}/qemu/${origin}/clone`, {
      ...form,
      description: `${markOf(owner)}\n${runOf(run)}`,
    }),
  );
  const path = `/nodes/${host}/qemu/${vmId}`;
  const cards = cardsIn(await readConfig(client, { host, vmId }));
  const unplugged = cards.map(([key, card]) => [key, `${card.replace(/,link_down=\d/, "")},link_down=1`]);
  // A host that reboots meanwhile is not to start it.
  await done(await client.post(`${path}/config`, { ...Object.fromEntries(unplugged), onboot: "0" }));
  const plugged = cardsIn(await readConfig(client, { host, vmId })).filter(
    ([, card]) => !card.includes("link_down=1"),
  );
  if (plugged.length > 0) {
    const found = plugged.map(([key, card]) => `${key}: ${card}`).join("; ");
    throw new ProxmoxError(200, `VM ${vmId} is not started: its network is not unplugged (${found})`);
  }
  await done(await client.post(`${path}/status/start`, {}));
}

/**
 * Destroys the test VM, running or not; one that is gone is done. Waits for the clone of an earlier run that was killed.
 * @param vm with its `run`, where only that run's VM is meant; without, any of this change's
 * @returns whether there was one
 * @throws ProxmoxError where the VM of that ID is not ours
 */
export async function destroyTestVm(
  client: ProxmoxClient,
  { vmId, owner, run }: Pick<TestVm, "vmId" | "owner"> & Partial<TestVm>,
  deadline: Date,
): Promise<boolean> {
  const exists = async () => (await listVms(client)).some((vm) => vm.vmId === vmId);
  if (!(await exists())) return false;
  const place = await waitUnlocked(client, vmId, deadline).catch(async (error) => {
    // A clone that fails removes what it has made.
    if (await exists()) throw error;
  });
  if (!place) return true;
  const path = `/nodes/${place.host}/qemu/${vmId}`;
  const { description = "" } = await readConfig(client, place);
  if (!String(description).includes(markOf(owner))) {
    throw new ProxmoxError(
      200,
      `VM ${vmId} (${place.name} on ${place.host}) ${NOT_OURS}: it is left alone`,
      "set restoreTest.vmId to an ID that no VM has; if it is another change's left-over, destroy it in Proxmox VE",
    );
  }
  if (run && !String(description).includes(runOf(run))) return false;
  if (await isRunning(client, place))
    await waitForTask(client, await client.post(`${path}/status/stop`, {}), deadline);
  await waitForTask(client, await client.delete(`${path}?purge=1`), deadline);
  return true;
}
