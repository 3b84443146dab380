import type { Machines } from "../machines";
import { requireAny } from "./access";
import type { Cluster, ClusterFile } from "./cluster";
import { PveError } from "./errors";
import type { Faults } from "./faults";
import type { GuestPrograms } from "./guestPrograms";
import type { Rules, Values } from "./parameters";
import type { Statd } from "./statd";
import type { Tasks } from "./tasks";
import type { Vms } from "./vms";

/** What a powered machine must let the API do to it: by VM ID, as the rehearsal's machines do. */
export type Guests = Pick<
  Machines,
  | "list"
  | "start"
  | "stop"
  | "shutdown"
  | "setLink"
  | "snapshot"
  | "rollback"
  | "removeSnapshot"
  | "clone"
  | "remove"
  | "agentUp"
  | "execute"
>;

/** All that the API's methods work on. */
export interface Site {
  readonly clusterFile: ClusterFile;
  readonly vms: Vms;
  readonly tasks: Tasks;
  readonly faults: Faults;
  readonly guests: Guests;
  /** What guest agents have been asked to run. */
  readonly guestPrograms: GuestPrograms;
  /** What lists of the whole cluster tell of machines. */
  readonly statd: Statd;
}

/** A request that has passed authentication and verification. */
export interface Call {
  /** The token that asks. */
  readonly who: string;
  readonly cluster: Cluster;
  /** Parameters of path, query and body; those of the path are verified too. */
  readonly values: Values;
}

/** One method of the API. */
export interface Method {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below /api2/json, parameters in braces. */
  readonly path: string;
  readonly parameters?: Rules;
  /** Any of these privileges is needed on the path given, in which braces are filled. */
  readonly permission?: { readonly path: string; readonly any: readonly string[] };
  /** @returns what becomes `data` */
  run(site: Site, call: Call): unknown;
}

/** The permission most methods of a VM need. */
export const onVm = (...any: string[]) => ({ path: "/vms/{vmid}", any });

/** Rights on the whole cluster, or on one of its hosts. */
export const onCluster = (...any: string[]) => ({ path: "/", any });
export const onNode = (...any: string[]) => ({ path: "/nodes/{node}", any });

/** Whether the caller has a privilege on a path: for lists, which leave out what may not be seen. */
export function may({ cluster, who }: Call, path: string, privilege: string): boolean {
  try {
    requireAny(cluster, who, path, [privilege]);
    return true;
  } catch (error) {
    if (error instanceof PveError && error.status === 403) return false;
    throw error;
  }
}

/** Host and VM ID of a method below /nodes/{node}/qemu/{vmid}. */
export function target({ values }: Call): { node: string; vmId: number } {
  return { node: String(values.node), vmId: Number(values.vmid) };
}

/** Whether a VM is powered on. */
export async function isRunning({ guests }: Site, vmId: number): Promise<boolean> {
  return (await guests.list()).some((guest) => guest.vmId === vmId && guest.running);
}

/** An answer with more beside `data`. */
export class WithTotal {
  constructor(
    readonly data: readonly unknown[],
    readonly total: number,
  ) {}
}
