import { listCheckpoints } from "../lab/checkpoint";
import { unhealthy } from "../lab/health";
import { isReady, readState } from "../lab/state";
import { Machine } from "../machines/machine";

/** Prints what runs: machines with power and versions from the disks' own word, the cluster's health, checkpoints. */
export async function status(): Promise<void> {
  const { baseline } = await readState();
  console.log(`rehearsal   ${isReady() ? "up" : "not whole: run up again"}, began on ${baseline}`);
  for (const machine of await Machine.all()) {
    const { name, vmId, address } = machine.record;
    const power = (await machine.running())
      ? (await machine.group.isFrozen())
        ? "frozen"
        : "running"
      : "off";
    const snapshots = await machine.disk.listSnapshots();
    const kept = snapshots.length ? `  snapshots: ${snapshots.sort().join(", ")}` : "";
    console.log(`${String(vmId).padEnd(11)} ${name.padEnd(12)} ${address.padEnd(14)} ${power}${kept}`);
  }
  const problems = await unhealthy(await readState(), new Date(Date.now() - 60_000)).catch((error: Error) => [
    `not measured: ${error.message}`,
  ]);
  console.log(`cluster     ${problems.length ? problems.join("; ") : "healthy"}`);
  console.log(`checkpoints ${(await listCheckpoints()).join(", ") || "none"}`);
}
