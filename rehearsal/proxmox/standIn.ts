import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { certificates } from "./certificates";
import { ClusterFile } from "./cluster";
import { Faults } from "./faults";
import { GuestPrograms } from "./guestPrograms";
import type { Guests, Site } from "./method";
import { machinesNow } from "./methods/vms";
import { apiServer } from "./server";
import { Statd } from "./statd";
import { Tasks } from "./tasks";
import type { Topology } from "./topology";
import { Vms } from "./vms";

/** How the stand-in is started. */
export interface StandInOptions {
  readonly topology: Topology;
  /** Where all its state lies: cluster, VM configs, tasks, keys and faults. Written whole or not at all. */
  readonly state: string;
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly guests: Guests;
  /** Seconds that each task takes, its lock held meanwhile. Default 0. */
  readonly taskSeconds?: number;
}

/** A Proxmox VE API that answers. */
export interface StandIn {
  readonly endpoint: string;
  readonly caFile: string;
  readonly site: Site;
  /** Ends it, its tasks done. */
  close(): Promise<void>;
}

/** Starts a stand-in for the API of a Proxmox VE 9 cluster, on the state that an earlier one left. */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const { topology, state, address, port, guests } = options;
  const faultsDirectory = join(state, "faults");
  mkdirSync(faultsDirectory, { recursive: true });
  const faults = new Faults(faultsDirectory);
  const clusterFile = new ClusterFile(state);
  const vms = new Vms(state, faults);
  const tasks = new Tasks(state, faults, options.taskSeconds ?? 0);
  clusterFile.create(topology);
  vms.create(topology.nodes);
  tasks.closeInterrupted();
  const guestPrograms = new GuestPrograms(guests);
  const statd = new Statd(() => machinesNow({ vms, guests }));
  const site: Site = { clusterFile, vms, tasks, faults, guests, guestPrograms, statd };
  const secured = certificates(state, [address, "127.0.0.1"], clusterFile.read().nodes);
  const server = apiServer(site, secured);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, address, resolve);
  });
  return {
    endpoint: `https://${address}:${(server.address() as AddressInfo).port}`,
    caFile: secured.caFile,
    site,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await tasks.settled();
    },
  };
}
