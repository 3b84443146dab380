import { setTimeout as sleep } from "node:timers/promises";
import { Machine } from "../machines/machine";
import { until } from "../machines/poll";
import type { Builds } from "./builds";
import { createKey, ssh, writeSshConfig } from "./operator";
import { provision } from "./provision";
import { labAddresses, type Stack } from "./stack";

/**
 * Makes the stack's machines, powered off, and the operator's access to them.
 * @returns their SSH host keys by name.
 */
export async function createMachines(
  stack: Stack,
  builds: Builds,
): Promise<Record<string, readonly string[]>> {
  const publicKey = await createKey();
  const { gateway, prefixLength } = labAddresses(stack);
  const hostKeys: Record<string, readonly string[]> = {};
  for (const node of stack.nodes) {
    const machine = await Machine.create({
      name: node.name,
      vmId: node.vmId,
      address: node.address,
      prefixLength,
      gateway,
      root: builds.root,
      images: builds.images,
      bootSeconds: stack.knobs.bootSeconds,
    });
    hostKeys[node.name] = await provision(machine, node, stack, publicKey);
  }
  await writeSshConfig(stack, hostKeys);
  return hostKeys;
}

/** Powers machines on a second apart (all at once would starve each other) and waits until each answers over SSH. */
export async function bootMachines(machines: readonly Machine[]): Promise<void> {
  const answering: Promise<void>[] = [];
  for (const machine of machines) {
    await machine.start();
    answering.push(answersOverSsh(machine));
    await sleep(machine === machines.at(-1) ? 0 : 1000);
  }
  const results = await Promise.allSettled(answering);
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
}

async function answersOverSsh({ record }: Machine): Promise<void> {
  const seconds = 60 + record.bootSeconds;
  await until(
    `${record.name} to answer over SSH`,
    seconds,
    async () => (await ssh(record.address, "echo up", 15)) !== "",
  );
}
