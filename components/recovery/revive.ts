import type { ProviderContext } from "../providerConfig";
import { refusal, stops } from "../refusal";
import { isMend, nodesOf, serversData, vmsPutBack } from "./dataTouched";
import { writeLosses } from "./losses";
import { type BackPhase, backPhases, proveAwake, restoreAll, wakeNodes } from "./phases";
import { backupToPlace } from "./placeBackup";
import { askFinish } from "./questions";
import { type Attempt, beginRecord, endRecord, openAttempts, readRecord } from "./record";
import { runPhases } from "./runPhases";

/**
 * Going forward again after a way back that was broken off, however often: brings the cluster to where the forward
 * chains can go on from, before their questions are asked. Where no data was touched yet, or every server is in one etcd
 * again, every node is started as it is. Where etcd was being put back, that is done to its end, on the wanted release:
 * two halves of two clusters are no cluster; what it needs is asked before anything is stopped for it. A node that was
 * being mended is mended, but no VM is put back for it: nobody asks for that any more.
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
  const data = await serversData(context, broken);
  if (data.state === "apart") {
    const refused = (await askFinish(context, owner, attempt)).filter(stops);
    if (refused.length > 0)
      throw new Error(refusal("nothing more was touched", "before etcd is put back to its end", refused));
    await writeLosses(settings, context.sshPrivateKey, attempt, await backupToPlace(settings, attempt));
    // Its steps leave their marks under this attempt, and so does what they place.
    await beginRecord(settings, attempt, "restore");
    await runPhases({ context, owner, attempt }, restoreAll(settings, settings.rke2Version, false));
    done.push("etcd from its snapshot");
  } else {
    const mends = mendsOf(broken);
    const whose = { context, owner, attempt };
    const isWhole = !broken.every(isMend);
    // A server that is being mended may hold old data: it is not to start as it is.
    const others = settings.nodes.filter(({ name }) => !mends.some(({ node }) => node === name));
    if (isWhole) await runPhases(whose, wakeNodes(settings, others, data.version));
    // Under their own attempts, so that what was done of them is not done again.
    for (const mend of mends)
      await runPhases({ ...whose, attempt: mend.one.attempt }, await mendOn(context, mend));
    if (isWhole) await runPhases(whose, proveAwake(settings));
    done.push(...(isWhole ? ["every node started"] : []), ...mends.map(({ node }) => `${node} mended`));
  }
  await endRecord(settings);
  return done.join(", ");
}

/** What was to be done to a node. */
interface Mend {
  readonly node: string;
  readonly one: Attempt;
}

/** The mends that are open: of each node the latest, oldest first. Pure. */
export function mendsOf(attempts: readonly Attempt[]): Mend[] {
  const all = attempts.filter(isMend).flatMap((one) => nodesOf(one).map((node): Mend => ({ node, one })));
  return all.filter((mend, i) => !all.slice(i + 1).some(({ node }) => node === mend.node));
}

/** The steps of a mend, as far as forward needs them. */
async function mendOn(context: ProviderContext, { node, one }: Mend): Promise<BackPhase[]> {
  const { settings } = context;
  const strategy = one.goBack.startsWith("rollback") ? "rollback" : "reinstall";
  const putBack = await vmsPutBack(
    context,
    one,
    settings.nodes.filter(({ name }) => name === node),
  );
  return withoutRollbacks(backPhases({ ...settings, goBack: { strategy, nodes: [node] } }), putBack);
}

/** Phases without a rollback that was not begun: one that was is waited for, and its machine started. Pure. */
export const withoutRollbacks = (phases: readonly BackPhase[], putBack: ReadonlySet<string>): BackPhase[] =>
  phases.map((phase) => ({
    ...phase,
    lanes: phase.lanes.map((lane) =>
      lane.filter(({ kind, node }) => kind !== "rollback" || putBack.has(node.name)),
    ),
  }));
