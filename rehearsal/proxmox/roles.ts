/** Roles by name with the privileges that they grant. */
export type Roles = Readonly<Record<string, readonly string[]>>;

/** The roles of docs/proxmox.md: a call that they do not cover fails in the rehearsal as it would in the lab. */
const own: Roles = {
  RKE2GoBack: ["VM.PowerMgmt", "VM.Snapshot.Rollback"],
  RKE2RestoreTest: [
    ...["VM.Allocate", "VM.Audit", "VM.Config.Network", "VM.Config.Options"],
    ...["VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted", "VM.PowerMgmt"],
  ],
  RKE2SeeBackups: ["Datastore.AllocateSpace", "VM.Backup"],
  RKE2Upgrade: [
    ...["Datastore.AllocateSpace", "Datastore.Audit", "Pool.Audit", "SDN.Use", "Sys.Audit"],
    ...["VM.Audit", "VM.Clone", "VM.Snapshot"],
  ],
};

/** Of Proxmox VE's own roles, the privileges that this stand-in knows. */
const builtIn: Roles = {
  Administrator: [
    ...["Datastore.AllocateSpace", "Datastore.Audit", "Pool.Audit", "SDN.Use"],
    ...["Sys.Audit", "Sys.Modify", "Sys.PowerMgmt"],
    ...["VM.Allocate", "VM.Audit", "VM.Backup", "VM.Clone", "VM.Config.Network", "VM.Config.Options"],
    ...["VM.GuestAgent.Audit", "VM.GuestAgent.FileRead", "VM.GuestAgent.Unrestricted"],
    ...["VM.PowerMgmt", "VM.Snapshot", "VM.Snapshot.Rollback"],
  ],
  NoAccess: [],
  PVEAuditor: ["Datastore.Audit", "Pool.Audit", "Sys.Audit", "VM.Audit", "VM.GuestAgent.Audit"],
};

export const roles: Roles = { ...builtIn, ...own };
