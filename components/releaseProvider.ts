import type * as pulumi from "@pulumi/pulumi";
import { snapshotName } from "../config";
import { notLive, observe } from "../observe";
import { releaseSnapshots } from "../proxmox/release";
import { holdAll, holdCluster } from "./locks";
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
  readonly operatorsAskedAt?: string;
}

/** What is let go. */
interface LetGo {
  /** Snapshots, restore test, every lock: a change was accepted. */
  readonly wayBack: boolean;
  /** The cluster's Lease, which operators alone have taken. */
  readonly lease: boolean;
}

/**
 * What is to be let go since the last time; undefined the first time. Pure. A new change ID alone, with nothing under way,
 * lets nothing go anew; operators that were moved since let go of no more than they took.
 */
export function toLetGo(before: Inputs | undefined, now: Inputs): LetGo {
  const fields = ["wanted", "from", "attempt"] as const;
  const settles = !before || fields.some((field) => before[field] !== now[field]);
  // Adopting made no way back.
  const wayBack = settles && now.mode !== "adopt";
  return { wayBack, lease: !wayBack && before?.operatorsAskedAt !== now.operatorsAskedAt };
}

/** The provider behind the release of the way back. Runs after the accept step has proven every node. */
export const provider: pulumi.dynamic.ResourceProvider<Inputs, Inputs & { released: string[] }> = {
  configure,
  async check(_olds, news) {
    return { inputs: news };
  },
  async diff(_id, olds, news) {
    const { wayBack, lease } = toLetGo(olds, news);
    return { changes: wayBack || lease };
  },
  async create(inputs) {
    return { id: `release-${inputs.attempt}`, outs: await release(undefined, inputs) };
  },
  async update(_id, olds, news) {
    return { outs: await release(olds, news) };
  },
  async delete() {},
};

async function release(before: Inputs | undefined, inputs: Inputs): Promise<Inputs & { released: string[] }> {
  const { wayBack, lease } = toLetGo(before, inputs);
  if (!wayBack && !lease) return { ...inputs, released: [] };
  const { settings, sshPrivateKey, proxmoxTokenSecret } = providerContext();
  // The accept step may have passed in an earlier run, which counts for nothing now.
  const sick = notLive(settings, await observe(settings, { sshPrivateKey, proxmoxTokenSecret }));
  if (sick.length > 0) {
    throw new Error(`nothing was let go: ${sick.join("; ")}. next: mend that, then run pulumi up again`);
  }
  if (!wayBack) {
    await holdCluster(settings, sshPrivateKey, inputs.owner, "release");
    return { ...inputs, released: [] };
  }
  // A way back that was settled before its last proof is over: the next change under this ID must not take it up.
  await endRecord(settings);
  await releaseRestoreTest(providerContext(), inputs.owner, inputs.movedUnder);
  const name = snapshotName(inputs.from, inputs.movedUnder);
  const released = await releaseSnapshots(settings, proxmoxTokenSecret, name, inputs.from);
  await holdAll(settings, sshPrivateKey, inputs.owner, "release");
  return { ...inputs, released };
}
