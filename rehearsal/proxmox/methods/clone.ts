import { requireAny } from "../access";
import { PveError } from "../errors";
import { type Method, onVm, target } from "../method";
import { configId, flag, optional, text, vmId as vmIdRule } from "../parameters";
import { snapshotOf } from "../snapshotWork";
import { hasFeature, volumesOf } from "../storage";
import { type ConfigValues, checkLock } from "../vms";

/** The config of a copy: its own volumes, another MAC, no snapshots. */
function copyOf(values: ConfigValues, vmId: number, newId: number, name: string): ConfigValues {
  const renamed = Object.entries(values).map(([key, value]) => [
    key,
    typeof value === "string" ? value.replaceAll(`vm-${vmId}-`, `vm-${newId}-`) : value,
  ]);
  const mac = newId.toString(16).padStart(6, "0").toUpperCase().match(/../g)?.join(":");
  return { ...Object.fromEntries(renamed), name, net0: `virtio=BC:24:11:${mac},bridge=vmbr0,tag=20` };
}

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
      const { newid, name, snapname, storage } = call.values;
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
        if (!able || (full && snapname && kind.type === "zfspool")) {
          const what = `${snapname ? "a snapshot of " : ""}'${volume.id}' (${volume.key})`;
          throw new PveError(`${full ? "Full" : "Linked"} clone feature is not supported for ${what}`);
        }
      }
      const newName = String(name ?? `Copy-of-VM-${config.values.name}`);
      site.vms.save(node, newId, { values: { name: newName }, lock: "clone", snapshots: {} });
      return site.tasks.start(node, "qmclone", String(vmId), who, async () => {
        await site.tasks.takeTime();
        try {
          await site.guests.clone(vmId, snapname ? String(snapname) : undefined, newId, newName);
        } catch (error) {
          site.vms.remove(node, newId);
          throw new PveError(`clone failed: ${error instanceof Error ? error.message : error}`);
        }
        site.vms.save(node, newId, { values: copyOf(values, vmId, newId, newName), snapshots: {} });
      });
    },
  },
];
