import { requireAny } from "../access";
import { PveError } from "../errors";
import { isRunning, type Method, onVm, target } from "../method";
import { configId, flag, oneOf, optional, text } from "../parameters";
import { create, remove, rollback, snapshotOf, vmHasFeature } from "../snapshotWork";
import type { Feature } from "../storage";
import { digestOf } from "../vms";

const base = "/nodes/{node}/qemu/{vmid}";
const one = `${base}/snapshot/{snapname}`;

/** Names that stand for the VM itself. */
function refuseReserved(name: string): void {
  if (name === "current" || name.toLowerCase() === "pending") {
    throw new PveError(`unable to use snapshot name '${name.toLowerCase()}' (reserved name)`);
  }
}

/** Snapshots of a VM. What changes one is answered with a task's UPID, and fails inside the task. */
export const snapshotMethods: readonly Method[] = [
  {
    method: "GET",
    path: `${base}/snapshot`,
    permission: onVm("VM.Audit"),
    async run(site, call) {
      const { node, vmId } = target(call);
      const config = site.vms.load(node, vmId);
      const running = await isRunning(site, vmId);
      const list = Object.entries(config.snapshots).map(
        ([name, { snaptime, description, parent, snapstate }]) => ({
          ...{ name, snaptime: site.faults.snapshotTime(vmId, snaptime) },
          ...{ description: description ?? "", vmstate: 0 },
          ...(parent && { parent }),
          ...(snapstate && { snapstate }),
        }),
      );
      const current = {
        ...{ name: "current", digest: digestOf(config), running: running ? 1 : 0 },
        ...(config.parent && { parent: config.parent }),
        description: "You are here!",
      };
      return [...list, current];
    },
  },
  {
    method: "POST",
    path: `${base}/snapshot`,
    parameters: { snapname: configId, vmstate: optional(flag), description: optional(text) },
    permission: onVm("VM.Snapshot"),
    run(site, call) {
      const { node, vmId } = target(call);
      const name = String(call.values.snapname);
      const vmstate = call.values.vmstate === 1;
      refuseReserved(name);
      site.vms.load(node, vmId);
      const { description } = call.values;
      const wish = { vmstate, ...(description && { description: String(description) }) };
      return site.tasks.start(node, "qmsnapshot", String(vmId), call.who, (log) =>
        create(site, { node, vmId, name }, wish, log),
      );
    },
  },
  {
    method: "GET",
    path: `${one}/config`,
    parameters: { snapname: configId },
    permission: onVm("VM.Snapshot", "VM.Snapshot.Rollback", "VM.Audit"),
    run({ vms }, call) {
      const { node, vmId } = target(call);
      const { config, ...rest } = snapshotOf(vms.load(node, vmId), String(call.values.snapname));
      return { ...config, ...rest };
    },
  },
  {
    method: "POST",
    path: `${one}/rollback`,
    parameters: { snapname: configId, start: optional(flag) },
    permission: onVm("VM.Snapshot", "VM.Snapshot.Rollback"),
    run(site, call) {
      const { node, vmId } = target(call);
      const name = String(call.values.snapname);
      const start = call.values.start === 1;
      if (start) requireAny(call.cluster, call.who, `/vms/${vmId}`, ["VM.PowerMgmt"]);
      return site.tasks.start(node, "qmrollback", String(vmId), call.who, (log) =>
        rollback(site, { node, vmId, name }, start, log),
      );
    },
  },
  {
    method: "DELETE",
    path: one,
    parameters: { snapname: configId, force: optional(flag) },
    permission: onVm("VM.Snapshot"),
    run(site, call) {
      const { node, vmId } = target(call);
      const name = String(call.values.snapname);
      return site.tasks.start(node, "qmdelsnapshot", String(vmId), call.who, (log) =>
        remove(site, { node, vmId, name }, call.values.force === 1, log),
      );
    },
  },
  {
    method: "GET",
    path: `${base}/feature`,
    parameters: { feature: oneOf("snapshot", "clone", "copy"), snapname: optional(configId) },
    permission: onVm("VM.Audit"),
    run({ vms }, call) {
      const { node, vmId } = target(call);
      const config = vms.load(node, vmId);
      const { snapname } = call.values;
      const values = snapname ? snapshotOf(config, String(snapname)).config : config.values;
      const has = vmHasFeature(call.cluster, values, call.values.feature as Feature, snapname !== undefined);
      return { hasFeature: has ? 1 : 0, nodes: has ? [node] : [] };
    },
  },
];
