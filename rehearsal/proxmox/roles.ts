/** Roles by name with the privileges that they grant. */
export type Roles = Readonly<Record<string, readonly string[]>>;

/**
 * The role of docs/proxmox.md: what the program needs and nothing more, so that a call for which it lacks the right
 * fails in the rehearsal as it would in the lab.
 */
export const leastPrivileges = ["Datastore.Audit", "Sys.Audit", "VM.Audit", "VM.Snapshot"] as const;

/** What an administrator has, as far as this stand-in knows privileges. */
const administrator = [
  ...leastPrivileges,
  "Datastore.AllocateSpace",
  "Sys.Modify",
  "Sys.PowerMgmt",
  "VM.Allocate",
  "VM.Clone",
  "VM.Config.Options",
  "VM.GuestAgent.Audit",
  "VM.PowerMgmt",
  "VM.Snapshot.Rollback",
];

export const roles: Roles = {
  Administrator: administrator,
  NoAccess: [],
  PVEAuditor: ["Datastore.Audit", "Sys.Audit", "VM.Audit", "VM.GuestAgent.Audit"],
  RKE2Upgrade: leastPrivileges,
};
