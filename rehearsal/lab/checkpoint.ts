import { existsSync } from "node:fs";
import { copyFile, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ControlGroup } from "../machines/controlGroup";
import { Machine } from "../machines/machine";
import { checkpointsDirectory, liveDirectory, operatorDirectory } from "../machines/paths";
import { copyTree } from "../machines/pool";
import { bootMachines } from "./boot";
import { waitRestarted } from "./health";
import { rehearsalStackFile } from "./pulumiStack";
import { startServices } from "./services";
import { readState } from "./state";

const keptStackFile = join(operatorDirectory, "Pulumi.rehearsal.yaml");

function directoryOf(name: string): string {
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(name)) {
    throw new Error(`checkpoint name ${JSON.stringify(name)}: use small letters, digits, - and .`);
  }
  return join(checkpointsDirectory, name);
}

/** Names of the checkpoints there are, in alphabetical order. */
export async function listCheckpoints(): Promise<string[]> {
  return (await readdir(checkpointsDirectory).catch(() => [])).sort();
}

/**
 * Keeps the whole rehearsal under a name: every machine's disk and snapshots,
 * Proxmox VE's state, the operator's stack, backend and backups. Everything
 * stands still meanwhile, so that the parts are of one moment. One of the same
 * name is replaced.
 */
export async function checkpoint(name: string): Promise<void> {
  const directory = directoryOf(name);
  await readState();
  const everything = new ControlGroup();
  await everything.freeze();
  try {
    if (existsSync(rehearsalStackFile)) await copyFile(rehearsalStackFile, keptStackFile);
    await copyTree(liveDirectory, `${directory}.new`);
  } finally {
    await everything.thaw();
  }
  await rm(directory, { recursive: true, force: true });
  await rename(`${directory}.new`, directory);
}

/**
 * Puts a checkpoint in place of the present state and powers everything on:
 * the machines find their disks as after a power cut. Returns when the cluster
 * is healthy again. Commands that the operator still runs meanwhile fail.
 * @throws Error naming those there are when there is none of that name.
 */
export async function restore(name: string): Promise<void> {
  const directory = directoryOf(name);
  if (!existsSync(directory)) {
    throw new Error(`no checkpoint ${name}: there are ${(await listCheckpoints()).join(", ") || "none"}`);
  }
  const since = new Date();
  await Promise.all((await Machine.all()).map((machine) => machine.kill()));
  await new ControlGroup("daemons").kill();
  await copyTree(directory, liveDirectory);
  if (existsSync(keptStackFile)) await writeFile(rehearsalStackFile, await readFile(keptStackFile));
  const state = await readState();
  await Promise.all([startServices(state), bootMachines(await Machine.all())]);
  await waitRestarted(state, since);
}

/** Deletes a checkpoint. */
export async function removeCheckpoint(name: string): Promise<void> {
  await rm(directoryOf(name), { recursive: true, force: true });
}
