import { homedir } from "node:os";
import { basename, join } from "node:path";

/** What outlives a rehearsal: built binaries, releases, the machines' base root. */
export const cacheDirectory =
  process.env.RKE2_UPGRADE_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "rke2-upgrade");

/** The state of a rehearsal that is running on this machine; one in another folder can run beside it. */
export const stateDirectory = process.env.REHEARSAL_DIR ?? "/var/lib/rke2-rehearsal";

/** The name under which the kernel knows the rehearsal: its control group and its network namespaces. */
export const rehearsalName = basename(stateDirectory);

/** The reflink file system of a rehearsal. */
export const poolDirectory = join(stateDirectory, "pool");

/** All that a checkpoint holds: machines, Proxmox VE's state, the operator's workstation. */
export const liveDirectory = join(poolDirectory, "live");

/** Machines' disks, snapshots and records, a folder each. */
export const machinesDirectory = join(liveDirectory, "machines");

/** State of the Proxmox VE stand-in. */
export const proxmoxDirectory = join(liveDirectory, "proxmox");

/** What the operator's workstation holds: SSH key, Pulumi backend, backups. */
export const operatorDirectory = join(liveDirectory, "operator");

/** Where disks are mounted while their machines run. */
export const mountsDirectory = join(poolDirectory, "mounts");

/** Kept rehearsals, a folder each. */
export const checkpointsDirectory = join(poolDirectory, "checkpoints");

/** Pid files, logs and generated configuration: of one run, in no checkpoint. */
export const runDirectory = join(stateDirectory, "run");

/** The project's top folder. */
export const projectDirectory = join(__dirname, "..", "..");
