import { freemem, loadavg, totalmem, uptime } from "node:os";
import { parameterError } from "../errors";
import { type Method, may, onNode, type Site } from "../method";
import { flag, optional, text } from "../parameters";
import type { StorageConfig } from "../storage";

/** Whether a host answers. */
export function nodeStatus({ faults }: Site, node: string): "online" | "offline" {
  return faults.isOn(`node-offline-${node}`) ? "offline" : "online";
}

/** A storage's space as the API tells it, bytes. Every host has its own pool of the same name. */
export function storageStatus({ type, content, total, used }: StorageConfig) {
  return { type, content, total, used, avail: total - used, active: 1, enabled: 1, shared: 0 };
}

const storageAudit = { path: "/storage/{storage}", any: ["Datastore.Audit", "Datastore.AllocateSpace"] };

/** Hosts and their storages. A host's memory and load are this machine's. */
export const nodeMethods: readonly Method[] = [
  {
    method: "GET",
    path: "/nodes",
    run: (site, call) =>
      call.cluster.nodes.map((node) => ({
        ...{ id: `node/${node}`, type: "node", node, status: nodeStatus(site, node), level: "" },
        ...(may(call, `/nodes/${node}`, "Sys.Audit") && { uptime: Math.floor(uptime()), maxmem: totalmem() }),
      })),
  },
  {
    method: "GET",
    path: "/nodes/{node}/status",
    permission: onNode("Sys.Audit"),
    run: () => ({
      uptime: Math.floor(uptime()),
      loadavg: loadavg().map((load) => load.toFixed(2)),
      memory: { total: totalmem(), free: freemem(), used: totalmem() - freemem() },
      pveversion: "pve-manager/9.2.1/d0a3b5c7e9f11223",
    }),
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
];
