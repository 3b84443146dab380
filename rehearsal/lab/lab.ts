import { mkdir } from "node:fs/promises";
import { say, step } from "../cli/progress";
import { ControlGroup, removeTree } from "../machines/controlGroup";
import { Machine } from "../machines/machine";
import { createNetwork, networkExists, removeNetworks } from "../machines/network";
import { checkpointsDirectory, rehearsalName, runDirectory, stateDirectory } from "../machines/paths";
import { createPool, deleteState } from "../machines/pool";
import { run } from "../machines/run";
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
  /** Ends one that is up, whatever it has been through, and begins anew. */
  readonly fresh?: boolean;
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
export async function up({ stackFile, version, fresh }: UpOptions): Promise<void> {
  const stack = readStack(stackFile);
  const baseline = version ?? stack.acceptedVersion;
  if (isReady() && networkExists() && !fresh) {
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
  // What an interrupted one left, or the one that is to give way.
  await (fresh && isReady() ? step("ending the one that is up", down) : down());
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
  await step("load balancer, release server, Proxmox VE API", () => startServices(state));
  const since = new Date();
  await bootstrap(state);
  await step("workloads", () => applyWorkloads(state));
  await step("the operator's Pulumi stack", () => createStack(state));
  await step("a healthy cluster", () => waitHealthy(state, since));
  await markReady();
}

/**
 * Ends the rehearsal with all it left on this machine, whatever state it is in.
 * @throws Error that names what could not be removed.
 */
export async function down(): Promise<void> {
  const machines = await Machine.all();
  await new ControlGroup().remove();
  await Promise.all(machines.map((machine) => machine.release()));
  // systemd-nspawn also makes its groups in a hybrid host's tree of version 1.
  await removeTree(`/sys/fs/cgroup/systemd/${rehearsalName}`);
  await removeNetworks();
  await deleteState();
  await removeStackFile();
  const left = await leftovers();
  if (left.length > 0) throw new Error(`could not remove ${left.join(", ")}`);
}

/** Processes, mounts, loop devices and namespaces of a rehearsal, as the kernel lists them. */
export async function leftovers(): Promise<string[]> {
  const mentions = async (what: string, program: string, ...args: string[]) =>
    (await run(program, args))
      .split("\n")
      .filter((line) => line.includes(rehearsalName) || line.includes(stateDirectory))
      .map((line) => `${what} ${line.trim()}`);
  return [
    ...(await mentions("mount", "findmnt", "--list", "--noheadings", "--output", "TARGET")),
    ...(await mentions("loop device", "losetup", "--noheadings", "--output", "NAME,BACK-FILE")),
    ...(await mentions("network namespace", "ip", "netns", "list")),
    ...((await new ControlGroup().populated()) ? ["processes in its control group"] : []),
  ];
}
