import type { ProviderContext } from "../providerConfig";
import { isDataTouched, isMend, vmsPutBack } from "./dataTouched";
import { type BackPhase, backPhases, restoreAll, wakeAll } from "./phases";
import { type Attempt, beginRecord, endRecord, openAttempts, readRecord } from "./record";
import { runPhases } from "./runPhases";

/**
 * Going forward again after a way back that was broken off, however often: brings the cluster to where the forward
 * chains can go on from, before their questions are asked. Where no data was touched yet, every node is started as it
 * is. Where etcd was being put back, that is done to its end, on the wanted release: two halves of two clusters are no
 * cluster. A node that was being mended is mended, but no VM is put back for it: nobody asks for that any more.
 * @returns what was done, or undefined where there was nothing to revive
 */
export async function revive(
  context: ProviderContext,
  owner: string,
  attempt: number,
): Promise<string | undefined> {
  const { settings } = context;
  const broken = openAttempts(await readRecord(settings));
  if (broken.length === 0) return undefined;
  const done: string[] = [];
  if (await isDataTouched(context, broken)) {
    // Its steps leave their marks under this attempt, and so does what they place.
    await beginRecord(settings, attempt, "restore");
    await runPhases({ context, owner, attempt }, restoreAll(settings, settings.rke2Version, false));
    done.push("etcd from its snapshot");
  } else {
    if (!broken.every(isMend)) {
      await runPhases({ context, owner, attempt }, wakeAll(settings));
      done.push("every node started");
    }
    for (const one of broken.filter(isMend)) {
      // Under its own attempt, so that what was done of it is not done again.
      await runPhases({ context, owner, attempt: one.attempt }, await mendOn(context, one));
      done.push(one.goBack);
    }
  }
  await endRecord(settings);
  return done.join(", ");
}

/** The steps of a mend, as far as forward needs them. */
async function mendOn(context: ProviderContext, one: Attempt): Promise<BackPhase[]> {
  const [strategy, nodes = ""] = one.goBack.split(":") as ["reinstall" | "rollback", string];
  const goBack = { strategy, nodes: nodes.split(",") };
  const putBack = strategy === "rollback" ? await vmsPutBack(context, one) : new Set<string>();
  return withoutRollbacks(backPhases({ ...context.settings, goBack }), putBack);
}

/** Phases without a rollback that was not begun: one that was is waited for, and its machine started. Pure. */
export const withoutRollbacks = (phases: readonly BackPhase[], putBack: ReadonlySet<string>): BackPhase[] =>
  phases.map((phase) => ({
    ...phase,
    lanes: phase.lanes.map((lane) =>
      lane.filter(({ kind, node }) => kind !== "rollback" || putBack.has(node.name)),
    ),
  }));
