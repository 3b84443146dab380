import { z } from "zod";
import type { ClusterNode, Settings } from "../config";
import type { ProxmoxClient } from "../proxmox/client";
import { connect } from "../proxmox/connect";
import { canSnapshot } from "../proxmox/snapshots";
import { listVms, type VmPlace } from "../proxmox/vms";
import type { Finding } from "./findings";

/** What Proxmox says of the VMs that a change needs. */
export interface HostFacts {
  readonly findings: readonly Finding[];
}

const clusterStatus = z.array(
  z.object({
    type: z.string(),
    name: z.string().optional(),
    quorate: z.number().optional(),
    online: z.number().optional(),
  }),
);

/** Looks at Proxmox VE: read-only, every call bounded by the client. @throws where the API does not answer */
export async function lookAtHosts(settings: Settings, tokenSecret: string): Promise<HostFacts> {
  const client = connect(settings, tokenSecret);
  try {
    const [vms, quorum] = await Promise.all([listVms(client), judgeQuorum(client)]);
    const ofNodes = await Promise.all(settings.nodes.map((node) => judgeVm(client, vms, node)));
    return { findings: [quorum, ...judgePlacement(settings, vms), ...ofNodes.flat()] };
  } finally {
    await client.close();
  }
}

async function judgeQuorum(client: ProxmoxClient): Promise<Finding> {
  const status = await client.get("/cluster/status", clusterStatus);
  const cluster = status.find(({ type }) => type === "cluster");
  const offline = status
    .filter(({ type, online }) => type === "node" && online === 0)
    .map(({ name }) => name);
  const quorate = !cluster || cluster.quorate === 1;
  return {
    check: "proxmox: quorum",
    found: `${quorate ? "quorate" : "no quorum"}${offline.length ? `, offline: ${offline.join(", ")}` : ""}`,
    wanted: "quorate",
    ...(quorate
      ? { verdict: "pass" }
      : { verdict: "fail", next: "pvecm status on a host: without quorum no snapshot can be taken" }),
  };
}

/** Servers on different hosts, from where they are now (procedure §3.2). */
function judgePlacement(settings: Settings, vms: readonly VmPlace[]): Finding[] {
  if (settings.servers.length < 2) return [];
  const places = settings.servers.flatMap(({ vmId }) => vms.find((vm) => vm.vmId === vmId) ?? []);
  const hosts = places.map(({ host }) => host);
  const apart = new Set(hosts).size === hosts.length;
  return [
    {
      check: "proxmox: servers on different hosts",
      found: hosts.join(", "),
      wanted: "each on its own",
      ...(apart
        ? { verdict: "pass" }
        : { verdict: "warn", next: "move one: a host that fails would take the quorum along" }),
    },
  ];
}

async function judgeVm(
  client: ProxmoxClient,
  vms: readonly VmPlace[],
  { name, vmId }: ClusterNode,
): Promise<Finding[]> {
  const check = `proxmox: VM ${vmId} (${name})`;
  const wanted = "running, unlocked, can be snapshotted";
  const place = vms.find((vm) => vm.vmId === vmId);
  if (!place) {
    const next = `check nodes[].vmId; the token needs VM.Audit on /vms/${vmId} (docs/proxmox.md)`;
    return [{ check, found: "not listed", wanted, verdict: "fail", next }];
  }
  const able = await canSnapshot(client, place.host, vmId);
  const found = `${place.running ? "running" : "stopped"} on ${place.host}, ${place.lock ? `locked (${place.lock})` : "unlocked"}, ${able ? "can" : "cannot"} be snapshotted`;
  if (!able) {
    return [
      {
        check,
        found,
        wanted,
        verdict: "fail",
        next: "its storage takes no snapshots (raw on a directory, plain LVM): move the disk",
      },
    ];
  }
  if (place.lock) {
    return [
      {
        check,
        found,
        wanted,
        verdict: "warn",
        next: `the snapshot waits for it: see what works on the VM; if nothing does: qm unlock ${vmId}`,
      },
    ];
  }
  return [{ check, found, wanted, verdict: "pass" }];
}
