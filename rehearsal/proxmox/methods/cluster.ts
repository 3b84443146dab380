import { permissionTree, requireAny } from "../access";
import { PveError, parameterError } from "../errors";
import { type Call, type Method, may, onCluster, type Site } from "../method";
import { oneOf, optional, text, vmId } from "../parameters";
import { nodeStatus, storageStatus } from "./nodes";
import { vmResources } from "./vms";

async function resources(site: Site, call: Call): Promise<unknown[]> {
  const { type } = call.values;
  const { nodes, storages } = call.cluster;
  const wants = (kind: string) => type === undefined || type === kind;
  return [
    ...(wants("vm") ? await vmResources(site, call) : []),
    ...(wants("node")
      ? nodes
          .filter((node) => may(call, `/nodes/${node}`, "Sys.Audit"))
          .map((node) => ({ id: `node/${node}`, type: "node", node, status: nodeStatus(site, node) }))
      : []),
    ...(wants("storage")
      ? nodes.flatMap((node) =>
          Object.entries(storages)
            .filter(([name]) => may(call, `/storage/${name}`, "Datastore.Audit"))
            .map(([name, config]) => ({
              ...{ id: `storage/${node}/${name}`, type: "storage", storage: name, node },
              ...{ plugintype: config.type, content: config.content, shared: 0 },
              ...{ status: "available", disk: config.used, maxdisk: storageStatus(config).total },
            })),
        )
      : []),
  ];
}

/** What concerns the cluster as a whole, and the caller's own rights. */
export const clusterMethods: readonly Method[] = [
  {
    method: "GET",
    path: "/version",
    run: () => ({ version: "9.2.1", release: "9.2", repoid: "d0a3b5c7e9f11223" }),
  },
  {
    method: "GET",
    path: "/access/permissions",
    parameters: { path: optional(text), userid: optional(text) },
    run(_site, { cluster, who, values }) {
      const { userid = who, path } = values;
      if (userid !== who && userid !== who.split("!")[0]) {
        requireAny(cluster, who, "/access", ["Sys.Audit"]);
      }
      return permissionTree(cluster, String(userid), path === undefined ? path : String(path));
    },
  },
  {
    method: "GET",
    path: "/cluster/status",
    permission: onCluster("Sys.Audit"),
    run(site, { cluster }) {
      const { name, nodes, quorate } = cluster;
      return [
        { id: "cluster", type: "cluster", name, nodes: nodes.length, quorate: quorate ? 1 : 0, version: 7 },
        ...nodes.map((node, i) => ({
          ...{
            id: `node/${node}`,
            type: "node",
            name: node,
            nodeid: i + 1,
            local: i === 0 ? 1 : 0,
            level: "",
          },
          online: nodeStatus(site, node) === "online" ? 1 : 0,
        })),
      ];
    },
  },
  {
    method: "GET",
    path: "/cluster/resources",
    parameters: { type: optional(oneOf("vm", "storage", "node", "sdn")) },
    run: resources,
  },
  {
    method: "GET",
    path: "/cluster/backup",
    permission: onCluster("Sys.Audit"),
    run: (_site, { cluster }) => cluster.backupJobs,
  },
  {
    method: "GET",
    path: "/cluster/ha/resources",
    parameters: { type: optional(oneOf("ct", "vm")) },
    permission: onCluster("Sys.Audit"),
    run: (_site, { cluster }) => cluster.haResources,
  },
  {
    method: "GET",
    path: "/cluster/ha/rules",
    parameters: { type: optional(oneOf("node-affinity", "resource-affinity")), resource: optional(text) },
    permission: onCluster("Sys.Audit"),
    run: (_site, { cluster, values }) =>
      cluster.haRules.filter(({ type }) => values.type === undefined || type === values.type),
  },
  {
    method: "GET",
    path: "/cluster/nextid",
    parameters: { vmid: optional(vmId) },
    run({ vms }, { values }) {
      const taken = new Set(vms.list().map((vm) => vm.vmId));
      if (values.vmid !== undefined) {
        if (taken.has(Number(values.vmid)))
          throw parameterError({ vmid: `VM ${values.vmid} already exists` });
        return String(values.vmid);
      }
      for (let id = 100; id < 1_000_000; id++) if (!taken.has(id)) return String(id);
      throw new PveError("unable to get any free VMID in range [100, 1000000]");
    },
  },
];
