import { restoreTestNode, type Settings } from "../config";
import type { ProxmoxClient } from "../proxmox/client";
import { missingPrivileges, type Need } from "../proxmox/permissions";
import type { Finding } from "./finding";
import type { Question } from "./unmeasured";

/** What the program does in Proxmox VE needs these (docs/proxmox.md). */
const needsOf = (settings: Settings): Need[] => [
  { path: "/", privileges: ["Sys.Audit"] },
  ...settings.nodes.map(({ vmId }) => ({ path: `/vms/${vmId}`, privileges: ["VM.Audit", "VM.Snapshot"] })),
  ...(settings.restoreTest.enabled ? restoreTestNeeds(settings) : []),
];

/** The restore test clones a server, and does with the clone what it likes; the storage and the bridge tell their own. */
const restoreTestNeeds = (settings: Settings): Need[] => [
  { path: `/vms/${restoreTestNode(settings).vmId}`, privileges: ["VM.Clone"] },
  {
    path: `/vms/${settings.restoreTest.vmId}`,
    privileges: [
      ...["VM.Allocate", "VM.Audit", "VM.Config.Network", "VM.Config.Options"],
      ...["VM.GuestAgent.Unrestricted", "VM.PowerMgmt"],
    ],
  },
];

export const rightsQuestion = ({ restoreTest }: Settings): Question => ({
  check: "proxmox: the token's rights",
  wanted: `Sys.Audit on /, VM.Audit and VM.Snapshot on each VM${restoreTest.enabled ? `, the restore test's on VM ${restoreTest.vmId}` : ""}`,
});

/** Whether the token may do what will be asked of it: a right that is missing must show before the window opens. */
export async function judgeRights(client: ProxmoxClient, settings: Settings): Promise<Finding> {
  const missing = await missingPrivileges(client, needsOf(settings));
  const lacks = missing.map(({ path, privileges }) => `${privileges.join(" and ")} on ${path}`);
  return {
    ...rightsQuestion(settings),
    found: lacks.length > 0 ? `lacks ${lacks.join(", ")}` : "all that is needed",
    ...(lacks.length === 0
      ? { verdict: "pass" }
      : { verdict: "fail", next: "grant them to the user and to the token: docs/proxmox.md" }),
  };
}
