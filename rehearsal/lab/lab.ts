import { mkdir } from "node:fs/promises";
import { say, step } from "../cli/progress";
import { ControlGroup, removeTree } from "../machines/controlGroup";
import { Machine } from "../machines/machine";
import { createNetwork, networkExists, removeNetworks } from "../machines/network";
import { checkpointsDirectory, rehearsalName, runDirectory } from "../machines/paths";
import { createPool, deleteState, unmountPool } from "../machines/pool";
import { bootMachines, createMachines } from "./boot";
import { bootstrap } from "./bootstrap";
import { buildAll } from "./builds";
import { waitHealthy } from "./health";
import { writeInfo } from "./info";
import { createStack, removeStackFile } from "./pulumiStack";
import { startServices } from "./services";
import { labAddresses, readStack, type Stack } from "./stack";
import { isReady, markReady, readState, writeState } from "./state";
import { applyWorkloads } from "./workloads";

/** What `up` is told. */
export interface UpOptions {
  /** The stack's file: topology, versions, knobs. */
  readonly stackFile: string;
  /** RKE2 version to start on; default the stack's accepted one. */
  readonly version?: string;
}

/** Lays the network of a stack's lab. */
export async function layNetwork(stack: Stack): Promise<void> {
  const { prefixLength, gateway, proxmox, releases, api, ingress } = labAddresses(stack);
  await createNetwork(
    [gateway, proxmox, releases, api, ingress].map((address) => `${address}/${prefixLength}`),
  );
}

/**
 * Brings a rehearsal up, or finds it up. What an interrupted or killed one
 * left is cleared away first.
 * @throws Error when one is up that was made otherwise.
 */
export async function up({ stackFile, version }: UpOptions): Promise<void> {
  const stack = readStack(stackFile);
  const baseline = version ?? stack.acceptedVersion;
  if (isReady() && networkExists()) {
    const running = await readState();
    if (running.baseline !== baseline) {
      throw new Error(
        `a rehearsal that began on ${running.baseline} is up: end it first with \`npm run rehearsal -- down\``,
      );
    }
    say(`the rehearsal is up (${running.stack.nodes.length} machines, began on ${running.baseline})`);
    return;
  }
  const builds = await step("what is built", buildAll);
  await down();
  await step("disks and network", async () => {
    await createPool();
    for (const directory of [runDirectory, checkpointsDirectory]) await mkdir(directory, { recursive: true });
    await layNetwork(stack);
  });
  const hostKeys = await step(`${stack.nodes.length} machines: disks`, () => createMachines(stack, builds));
  const state = { stackFile, stack, baseline, builds, hostKeys };
  await writeState(state);
  await writeInfo(state);
  await step(`${stack.nodes.length} machines: boot`, async () => bootMachines(await Machine.all()));
  if (process.env.STAGE === "machines") return markReady(); // TEMPORARY
  await step("load balancer, release server, Proxmox VE API", () => startServices(state));
  const since = new Date();
  await bootstrap(state);
  await step("workloads", () => applyWorkloads(state));
  await step("the operator's Pulumi stack", () => createStack(state));
  await step("a healthy cluster", () => waitHealthy(state, since));
  await markReady();
}

/** Ends the rehearsal with all it left on this machine: processes, mounts, loop device, namespaces, files. */
export async function down(): Promise<void> {
  const machines = await Machine.all();
  await new ControlGroup().remove();
  await Promise.all(machines.map((machine) => machine.release()));
  // systemd-nspawn also makes its groups in a hybrid host's tree of version 1.
  await removeTree(`/sys/fs/cgroup/systemd/${rehearsalName}`);
  await removeNetworks();
  await unmountPool();
  await deleteState();
  await removeStackFile();
}
