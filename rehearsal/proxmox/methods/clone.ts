import { randomBytes } from "node:crypto";
import { requireAny } from "../access";
import { PveError } from "../errors";
import { type Method, onVm, target } from "../method";
import { configId, flag, optional, text, vmId as vmIdRule } from "../parameters";
import { asKept, snapshotOf } from "../snapshotWork";
import { hasFeature, volumesOf } from "../storage";
import { type ConfigValues, checkLock } from "../vms";
import { mayUseBridge } from "./bridges";

/** The config of a copy: its own volumes, another MAC address on each card, no snapshots. */
function copyOf(values: ConfigValues, vmId: number, newId: number, own: ConfigValues): ConfigValues {
  const renamed = Object.entries(values).map(([key, value]) => {
    if (/^net\d+$/.test(key)) return [key, String(value).replace(/=[0-9A-F:]{17}/i, `=${newMac()}`)];
    return [key, typeof value === "string" ? value.replaceAll(`vm-${vmId}-`, `vm-${newId}-`) : value];
  });
  return { ...Object.fromEntries(renamed), ...own };
}

/** What stands in the new VM's config until the copy is done. */
const TEMPORARY: ConfigValues = { description: " qmclone temporary file\n" };

/** An address below Proxmox's own prefix. */
const newMac = (): string =>
  ["BC", "24", "11", ...(randomBytes(3).toString("hex").toUpperCase().match(/../g) ?? [])].join(":");

/** Copies of a VM or of one of its snapshots, whole or linked to it. */
export const cloneMethods: readonly Method[] = [
  {
    method: "POST",
    path: "/nodes/{node}/qemu/{vmid}/clone",
    parameters: {
      newid: vmIdRule,
      name: optional(text),
      description: optional(text),
      snapname: optional(configId),
      full: optional(flag),
      storage: optional(text),
      target: optional(text),
    },
    permission: onVm("VM.Clone"),
    run(site, call) {
      const { node, vmId } = target(call);
      const { newid, name, description, snapname, storage } = call.values;
      const newId = Number(newid);
      const { cluster, who } = call;
      requireAny(cluster, who, `/vms/${newId}`, ["VM.Allocate"]);
      const config = site.vms.load(node, vmId);
      checkLock(config);
      const full = call.values.full !== 0;
      if (!full && storage) throw new PveError("parameter 'storage' not allowed for linked clones");
      const values = snapname ? snapshotOf(config, String(snapname)).config : config.values;
      if (site.vms.list().some((vm) => vm.vmId === newId)) {
        throw new PveError(`unable to create VM ${newId}: config file already exists`);
      }
      for (const volume of volumesOf(values)) {
        requireAny(cluster, who, `/storage/${storage ?? volume.storage}`, ["Datastore.AllocateSpace"]);
        const kind = cluster.storages[volume.storage];
        const able = kind && hasFeature(kind, volume, full ? "copy" : "clone", snapname !== undefined);
        if (!able) {
          const what = `${snapname ? "a snapshot of " : ""}'${volume.id}' (${volume.key})`;
          throw new PveError(`${full ? "Full" : "Linked"} clone feature is not supported for ${what}`);
        }
      }
      for (const [key, card] of Object.entries(values)) {
        if (/^net\d+$/.test(key)) mayUseBridge(call, String(card));
      }
      const newName = String(name ?? `Copy-of-VM-${config.values.name}`);
      site.vms.save(node, newId, { values: TEMPORARY, lock: "clone", snapshots: {} });
      return site.tasks.start(node, "qmclone", String(vmId), who, async () => {
        await site.tasks.takeTime();
        try {
          await site.guests.clone(vmId, snapname ? String(snapname) : undefined, newId, newName);
        } catch (error) {
          site.vms.remove(node, newId);
          throw new PveError(`clone failed: ${error instanceof Error ? error.message : error}`);
        }
        const own = { name: newName, ...(description && { description: asKept(String(description)) }) };
        site.vms.save(node, newId, { values: copyOf(values, vmId, newId, own), snapshots: {} });
      });
    },
  },
];
