import { type ClusterNode, isRound, nodesGoingBack } from "../config";
import { lookAtNode, lookAtRancher, observe } from "../observe";
import { measured } from "../observe/cost";
import { look } from "../observe/look";
import { keepBackedUp } from "./backupTimer";
import { rememberBeforeBack } from "./dataVersion";
import { newestBackup } from "./etcdBackups";
import { type GateAnswer, gateAnswer } from "./gateAnswer";
import { gateProvider } from "./gateProvider";
import { wakeHeld } from "./heldServers";
import { judgeRun, measuredIn } from "./judgement";
import { holdAll, holdForWayBack } from "./locks";
import { rememberMeasured } from "./measuredBefore";
import { operatorLog } from "./operatorLog";
import { providerContext } from "./providerConfig";
import { judgeExportAhead } from "./rancherExport";
import { describeDecision } from "./recovery/decision";
import { writeLosses } from "./recovery/losses";
import { askBack, isRolledBack } from "./recovery/questions";
import { beginRecord, readRecord } from "./recovery/record";
import { revive } from "./recovery/revive";
import { refusal, stops } from "./refusal";
import { destroyLeftOvers } from "./restoreTestRun";
import { judgeSteadily } from "./steadyLook";
import { touched } from "./touched";
import { finished } from "./turnQuestions";
import { keepWayBack } from "./wayBackKeeper";

interface Inputs {
  readonly wanted: string;
  readonly accepted: string;
  readonly changeId: string;
  readonly goBack: string;
  readonly attempt: number;
  readonly owner: string;
}

/** The provider behind {@link Preflight}. */
export const provider = gateProvider<Inputs>({
  id: ({ changeId }) => `preflight-${changeId}`,
  compares: ["wanted", "accepted", "changeId", "goBack", "attempt", "owner"],
  isDone: ({ goBack, attempt, wanted }) => (goBack ? isBack(attempt) : allDone(wanted)),
  ask,
});

/** Whether every node already runs the version, or its turn in a round of OS patches is over: then nothing is left to be done, and nothing to be asked. */
async function allDone(wanted: string): Promise<boolean> {
  const { settings, sshPrivateKey } = providerContext();
  // Versions do not tell how far a round of OS patches is.
  if (isRound(settings)) {
    const done = await finished();
    return settings.nodes.every(({ name }) => done.has(name));
  }
  const running = await Promise.all(
    settings.nodes.map((node) =>
      lookAtNode(node, sshPrivateKey).then(
        (seen) =>
          seen.versionRunning === wanted && seen.versionOnDisk === wanted && seen.service === "active",
        () => false,
      ),
    ),
  );
  return running.every(Boolean);
}

/** Whether this attempt's way back was proven done. */
async function isBack(attempt: number): Promise<boolean> {
  const record = await readRecord(providerContext().settings);
  return record?.attempt === attempt && record.endedAt !== undefined;
}

/** What a way back needs, and no more: it is there for clusters that are sick. */
async function askBeforeBack({ owner, attempt, goBack }: Inputs): Promise<GateAnswer> {
  const context = providerContext();
  const { settings, sshPrivateKey } = context;
  const beganAt = new Date();
  const { result: findings, cost } = await measured(() => askBack(context, owner));
  const refused = findings.filter(stops);
  if (refused.length > 0) throw new Error(refusal("nothing was touched", "before going back", refused));
  const lost = (node: ClusterNode) => isRolledBack(settings, node);
  await holdForWayBack(settings, sshPrivateKey, owner, nodesGoingBack(settings), lost);
  // No part of the way back, and it waits for nothing.
  destroyLeftOvers(context, owner).catch((error: Error) =>
    operatorLog.warn(
      `whether a restore test that was killed has left its VM (restore-test-…) is not known, or it could not be destroyed: ${error.message}\n  next: look in Proxmox VE, and destroy it there; the way back goes on`,
    ),
  );
  await writeLosses(settings, sshPrivateKey, attempt);
  await rememberBeforeBack(settings, sshPrivateKey, attempt);
  await beginRecord(settings, attempt, goBack, beganAt);
  // While single nodes are mended the cluster lives, and is written to.
  if (settings.goBack?.nodes) keepBackedUp();
  return gateAnswer(findings, cost);
}

async function ask(inputs: Inputs): Promise<GateAnswer> {
  if (inputs.goBack) return askBeforeBack(inputs);
  const { settings, ...secrets } = providerContext();
  const revived = await revive(providerContext(), inputs.owner, inputs.attempt);
  const woken = await wakeHeld(providerContext(), inputs.owner);
  // Its pods come up, and its budgets recover, as a node's after its turn.
  const recoveringMs = revived || woken ? settings.limits.readySeconds * 1000 : 0;
  const newest = await newestBackup(settings, inputs.accepted);
  const { result, cost } = await measured(() =>
    judgeSteadily(
      async () => {
        const [facts, rancher] = await Promise.all([
          observe(settings, secrets),
          settings.rancher.backup.enabled
            ? look(() => lookAtRancher(settings, secrets.sshPrivateKey))
            : undefined,
        ]);
        return { facts, rancher };
      },
      ({ facts, rancher }) => [
        ...judgeRun(settings, facts, inputs.owner, newest),
        ...judgeExportAhead(settings, facts, rancher),
      ],
      { recoveringMs },
    ),
  );
  const { findings } = result;
  const { facts } = result.seen;
  const refused = findings.filter(stops);
  if (refused.length > 0) {
    const decision = await describeDecision(settings, facts, secrets.sshPrivateKey);
    throw new Error([refusal("nothing was touched", "before a change", refused), ...decision].join("\n"));
  }
  await holdAll(settings, secrets.sshPrivateKey, inputs.owner, "take");
  await keepWayBack(providerContext(), inputs.owner, touched(settings, facts, inputs.accepted));
  keepBackedUp();
  rememberMeasured(measuredIn(facts));
  return gateAnswer(findings, cost);
}
