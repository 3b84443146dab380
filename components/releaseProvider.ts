import type * as pulumi from "@pulumi/pulumi";
import { snapshotName } from "../config";
import { notLive, observe } from "../observe";
import { releaseSnapshots } from "../proxmox/release";
import { forgetNewerData } from "./dataVersion";
import { holdAll } from "./locks";
import { configure, providerContext } from "./providerConfig";
import { endRecord } from "./recovery/record";
import { releaseRestoreTest } from "./restoreTestRun";

interface Inputs {
  readonly wanted: string;
  readonly from: string;
  readonly mode: string;
  readonly movedUnder: string;
  readonly attempt: number;
  readonly owner: string;
}

/** The provider behind the release of the way back. Runs after the accept step has proven every node. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Inputs & { released: string[] }> = {
  configure,
  async diff(_id, olds, news) {
    // A new change ID alone, with nothing under way, releases nothing anew.
    const fields = ["wanted", "from", "attempt"] as const;
    return { changes: fields.some((field) => olds[field] !== news[field]) };
  },
  async create(inputs) {
    return { id: `release-${inputs.attempt}`, outs: await release(inputs) };
  },
  async update(_id, _olds, news) {
    return { outs: await release(news) };
  },
};

async function release(inputs: Inputs): Promise<Inputs & { released: string[] }> {
  // Adopting made no way back and took no lock.
  if (inputs.mode === "adopt") return { ...inputs, released: [] };
  const { settings, sshPrivateKey, proxmoxTokenSecret } = providerContext();
  await proveLive();
  // A way back that was settled before its last proof is over: the next change under this ID must not take it up.
  await endRecord(settings);
  await forgetNewerData(settings);
  await releaseRestoreTest(providerContext(), inputs.owner, inputs.movedUnder);
  const name = snapshotName(inputs.from, inputs.movedUnder);
  const released = await releaseSnapshots(settings, proxmoxTokenSecret, name, inputs.from);
  await holdAll(settings, sshPrivateKey, inputs.owner, "release");
  return { ...inputs, released };
}

/** Looks at every node once more: the accept step may have passed in an earlier run, which counts for nothing now. @throws with who is not live */
export async function proveLive(): Promise<void> {
  const { settings, ...secrets } = providerContext();
  const sick = notLive(settings, await observe(settings, secrets));
  if (sick.length > 0)
    throw new Error(`nothing was let go: ${sick.join("; ")}. next: mend that, then run pulumi up again`);
}
