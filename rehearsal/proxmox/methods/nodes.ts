import { loadavg, uptime } from "node:os";
import { DateTime } from "luxon";
import type { Backup } from "../cluster";
import { parameterError } from "../errors";
import { type Method, may, onNode, type Site } from "../method";
import { flag, optional, text, vmId } from "../parameters";
import type { StorageConfig } from "../storage";

/** Whether a host answers. */
export function nodeStatus({ faults }: Site, node: string): "online" | "offline" {
  return faults.isOn(`node-offline-${node}`) ? "offline" : "online";
}

/** A storage's space as the API tells it, bytes. Every host has its own pool of the same name. */
export function storageStatus({ type, content, total, used }: StorageConfig) {
  return { type, content, total, used, avail: total - used, active: 1, enabled: 1, shared: 0 };
}

/** A backup as its storage lists it. */
function backupVolume({ storage, vmid, ctime }: Backup) {
  const made = DateTime.fromSeconds(ctime, { zone: "utc" }).toFormat("yyyy_MM_dd-HH_mm_ss");
  const volid = `${storage}:backup/vzdump-qemu-${vmid}-${made}.vma.zst`;
  return { volid, content: "backup", subtype: "qemu", format: "vma.zst", ctime, size: 4 * 2 ** 30, vmid };
}

const storageAudit = { path: "/storage/{storage}", any: ["Datastore.Audit", "Datastore.AllocateSpace"] };

/** A host's memory, bytes: this machine's own would be too little for the VMs that are said to run there. */
const MEMORY = { total: 512 * 2 ** 30, free: 256 * 2 ** 30, used: 256 * 2 ** 30 };

/** Hosts and their storages. A host's load is this machine's. */
export const nodeMethods: readonly Method[] = [
  {
    method: "GET",
    path: "/nodes",
    run: (site, call) =>
      call.cluster.nodes.map((node) => ({
        ...{ id: `node/${node}`, type: "node", node, status: nodeStatus(site, node), level: "" },
        ...(may(call, `/nodes/${node}`, "Sys.Audit") && {
          uptime: Math.floor(uptime()),
          maxmem: MEMORY.total,
        }),
      })),
  },
  {
    method: "GET",
    path: "/nodes/{node}/status",
    permission: onNode("Sys.Audit"),
    run: () => ({
      uptime: Math.floor(uptime()),
      loadavg: loadavg().map((load) => load.toFixed(2)),
      memory: MEMORY,
      pveversion: "pve-manager/9.2.1/d0a3b5c7e9f11223",
    }),
  },
  {
    method: "GET",
    path: "/nodes/{node}/time",
    permission: onNode("Sys.Audit"),
    run(_site, { cluster: { timeZone } }) {
      const now = DateTime.now().setZone(timeZone);
      const time = Math.floor(now.toSeconds());
      return { timezone: timeZone, time, localtime: time + now.offset * 60 };
    },
  },
  {
    method: "GET",
    path: "/nodes/{node}/storage",
    parameters: { content: optional(text), enabled: optional(flag), storage: optional(text) },
    run: (_site, call) =>
      Object.entries(call.cluster.storages)
        .filter(
          ([name, { content }]) =>
            may(call, `/storage/${name}`, "Datastore.Audit") &&
            (!call.values.storage || call.values.storage === name) &&
            (!call.values.content || content.split(",").includes(String(call.values.content))),
        )
        .map(([storage, config]) => ({
          storage,
          ...storageStatus(config),
          used_fraction: config.used / config.total,
        })),
  },
  {
    method: "GET",
    path: "/nodes/{node}/storage/{storage}/status",
    parameters: { storage: text },
    permission: storageAudit,
    run(_site, { cluster, values }) {
      const config = cluster.storages[String(values.storage)];
      if (!config) throw parameterError({ storage: "No such storage." });
      return storageStatus(config);
    },
  },
  {
    method: "GET",
    path: "/nodes/{node}/storage/{storage}/content",
    parameters: { storage: text, content: optional(text), vmid: optional(vmId) },
    permission: storageAudit,
    run(_site, call) {
      const { node, storage, content, vmid } = call.values;
      if (!call.cluster.storages[String(storage)]) throw parameterError({ storage: "No such storage." });
      return call.cluster.backups
        .filter((one) => one.node === node && one.storage === storage)
        .filter((one) => (content ?? "backup") === "backup" && (vmid ?? one.vmid) === one.vmid)
        .filter(
          (one) =>
            may(call, `/storage/${storage}`, "Datastore.AllocateSpace") &&
            may(call, `/vms/${one.vmid}`, "VM.Backup"),
        )
        .map(backupVolume);
    },
  },
];
