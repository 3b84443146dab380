import type { Settings } from "../config";
import type { ProxmoxClient } from "../proxmox/client";
import { missingPrivileges, type Need } from "../proxmox/permissions";
import type { Finding } from "./finding";

/** What the program does in Proxmox VE needs these (docs/proxmox.md). */
const needsOf = ({ nodes }: Settings): Need[] => [
  { path: "/", privileges: ["Sys.Audit"] },
  ...nodes.map(({ vmId }) => ({ path: `/vms/${vmId}`, privileges: ["VM.Audit", "VM.Snapshot"] })),
];

/** Whether the token may do what will be asked of it: a right that is missing must show before the window opens. */
export async function judgeRights(client: ProxmoxClient, settings: Settings): Promise<Finding> {
  const missing = await missingPrivileges(client, needsOf(settings));
  const lacks = missing.map(({ path, privileges }) => `${privileges.join(" and ")} on ${path}`);
  return {
    check: "proxmox: the token's rights",
    found: lacks.length > 0 ? `lacks ${lacks.join(", ")}` : "all that is needed",
    wanted: "Sys.Audit on /, VM.Audit and VM.Snapshot on each VM",
    ...(lacks.length === 0
      ? { verdict: "pass" }
      : { verdict: "fail", next: "grant them to the user and to the token: docs/proxmox.md" }),
  };
}
