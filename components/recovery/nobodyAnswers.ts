import type { ClusterNode } from "../../config";
import type { Finding } from "../../observe";
import { look } from "../../observe/look";
import { withProxmox } from "../../proxmox/connect";
import { findVm, isRunning } from "../../proxmox/vms";
import type { ProviderContext } from "../providerConfig";

/**
 * Where no node at all answers, what fails may be the way from here: a VPN, a key. Before VMs that would lose their disks go
 * back, Proxmox VE is asked whether they are off. One whose host is away is: where the API is, other questions refuse.
 */
export async function askNobodyAnswers(
  { settings, proxmoxTokenSecret }: ProviderContext,
  nodes: readonly ClusterNode[],
): Promise<Finding[]> {
  return withProxmox(settings, proxmoxTokenSecret, async (client) => {
    const asked = nodes.map(async (node) => {
      const runs = await look(async () => isRunning(client, await findVm(client, node.vmId)));
      return "value" in runs && runs.value ? [node] : [];
    });
    return [judgeNobodyAnswers((await Promise.all(asked)).flat())];
  });
}

/** @param running the nodes to be put back whose VMs run. Pure. */
export function judgeNobodyAnswers(running: readonly ClusterNode[]): Finding {
  const asked = {
    check: "nodes: one answers from here, or their machines are off",
    wanted: "an answer, or VMs that are off",
  };
  const [first] = running;
  if (!first)
    return { ...asked, found: "none answers, and no VM that goes back is known to run", verdict: "pass" };
  const vms = running.map(({ name, vmId }) => `VM ${vmId} (${name})`).join(", ");
  const found = `none answers over SSH, and by Proxmox VE's word there run: ${vms}`;
  const next = `mend the way from this machine first: network, VPN, SSH key, pinned host keys (ssh -p ${first.port} ${first.user}@${first.address}); see the VMs' consoles. Only machines that are lost indeed: stop them in Proxmox VE (${running.map(({ vmId }) => `qm stop ${vmId}`).join("; ")}), then pulumi up`;
  return { ...asked, found, verdict: "fail", next };
}
