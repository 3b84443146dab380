import * as pulumi from "@pulumi/pulumi";
import {
  describeBackupToGoTo,
  describeLoss,
  describeMoves,
  describeMovesBack,
  describePlan,
  giveUpRound,
  goingBackTakesEtcd,
  isChanging,
  isRound,
  movesOf,
  type OperatorMove,
  restoreTestNode,
  type Secrets,
  settingsWarnings,
  snapshotName,
  withExpectations,
} from "../config";
import {
  concernsRancher,
  inTurn,
  judgeRancher,
  lookAtKubeVersion,
  lookAtRancher,
  lookAtReleases,
  observe,
  operatorsSeen,
} from "../observe";
import { describeCost, measured } from "../observe/cost";
import { look } from "../observe/look";
import { findingLines } from "../observe/print";
import { nodesSeen, stepsSeen, tellSeen } from "../observe/seen";
import { asText, type ChangeState } from "./changePolicy";
import { ageMs, backupToGoTo, newestBackup } from "./etcdBackups";
import { forecast, judgeRun } from "./judgement";
import { foreseeReleases } from "./judgeOperators";
import type { OperatorsInState } from "./operators";
import { planOf } from "./plan";
import { describeDecision } from "./recovery/decision";
import { foreseeRevival } from "./recovery/foreseeRevival";
import { describeLosses, describeObjects } from "./recovery/losses";
import { askBack } from "./recovery/questions";
import type { Run } from "./step";

/**
 * Prints, on the stack, one ordered and numbered list: each check with its figure, then every node with from → to and
 * its steps, then the way back. It is the evidence in the change request. Looks are bounded and change nothing; a
 * failed check warns here and stops `up` in {@link Preflight}. No live value leaves this function.
 * @param operators what the stack's state knows of them, for a preview; `up` asks that in its gate, which comes later
 */
export function announce(run: Run, secrets: Secrets, operators?: OperatorsInState): void {
  if (run.settings.goBack) announceWayBack(run, secrets);
  else announceChange(run, secrets, pulumi.runtime.isDryRun() ? operators : undefined);
}

function announceChange({ settings, change }: Run, secrets: Secrets, operators?: OperatorsInState): void {
  const { rke2Version: wanted, acceptedVersion: accepted } = settings;
  pulumi
    .all([
      secrets.sshPrivateKey,
      secrets.proxmoxTokenSecret,
      secrets.kubeconfig,
      change.owner,
      change.attempt,
      operators,
    ])
    .apply(async ([sshPrivateKey, proxmoxTokenSecret, kubeconfig, owner, attempt, inState]) => {
      const { result: seen, cost } = await measured(() =>
        Promise.all([
          observe(settings, { sshPrivateKey, proxmoxTokenSecret, kubeconfig }),
          look(() => lookAtReleases(settings, sshPrivateKey)),
          concernsRancher(settings) ? look(() => lookAtRancher(settings, sshPrivateKey)) : undefined,
        ]),
      );
      const [facts, releases, rancherFacts] = seen;
      const operators = operatorsSeen(settings, releases);
      const moves = movesOf(settings, operators);
      const rancher = settings.operators.find(
        (one) => one.rancher && moves.some(({ name }) => name === one.name),
      );
      const rancherChart = rancher && (await look(() => lookAtKubeVersion(rancher)));
      const judged = [
        ...judgeRun(settings, facts, owner, await newestBackup(settings, accepted)),
        ...foreseeReleases(
          settings,
          releases,
          inState,
          settings.nodes.some(({ name }) => inTurn(settings, facts.cluster, name)),
        ),
        ...(rancherFacts ? judgeRancher(settings, rancherFacts, rancherChart, rancher !== undefined) : []),
      ];
      const findings = findingLines(judged);
      await pulumi.log.info(
        `${titleOf(settings, moves)}\nChecks (${findings.filter((f) => !f.warn).length} of ${findings.length} hold)`,
      );
      for (const { text, warn } of findings) await (warn ? pulumi.log.warn(text) : pulumi.log.info(text));
      await pulumi.log.info(`checks: ${findings.length}, ${describeCost(cost)}`);
      const context = { settings, sshPrivateKey, proxmoxTokenSecret };
      const revived = await foreseeRevival(context, owner, attempt);
      if (revived.length > 0) await pulumi.log.warn(revived.join("\n"));
      for (const { path, text } of settingsWarnings(settings)) await pulumi.log.warn(`${path}: ${text}`);
      const fits = isChanging(settings) ? await describeDecision(settings, facts, sshPrivateKey) : [];
      const steps = forecast(settings, facts);
      const back = [...(await wayBack(settings)), ...describeMovesBack(moves), ...fits];
      await pulumi.log.info([...describePlan(steps, accepted, wanted), ...back].join("\n"));
      const at = facts.at.toISOString();
      const told = { findings: judged, nodes: nodesSeen(facts), steps: stepsSeen(steps), wayBack: back };
      await tellSeen({ at, cost, operators, ...told });
    });
}

/** What a change that goes forward is, or a settled stack. */
export function titleOf(settings: Run["settings"], moves: readonly OperatorMove[]): string {
  const { changeId, rke2Version: wanted, acceptedVersion: accepted, osPatch } = settings;
  if (isRound(settings)) return `${changeId}: OS patches (${osPatch.packages}), RKE2 stays on ${wanted}`;
  if (isChanging(settings)) return `${changeId}: ${accepted} → ${wanted}`;
  return moves.length > 0
    ? `${changeId}: ${describeMoves(moves)}; settled on ${wanted}: nothing is installed on a node`
    : `settled on ${wanted}: nothing is installed`;
}

/** The same for a way back: what it needs, what it loses and what cannot be undone, then its steps. */
function announceWayBack({ settings, change }: Run, secrets: Secrets): void {
  const { rke2Version: wanted, acceptedVersion: accepted } = settings;
  pulumi
    .all([secrets.sshPrivateKey, secrets.proxmoxTokenSecret, change.owner, change.mode])
    .apply(async ([sshPrivateKey, proxmoxTokenSecret, owner, mode]) => {
      const at = new Date().toISOString();
      const { result: asked, cost } = await measured(() =>
        askBack({ settings, sshPrivateKey, proxmoxTokenSecret }, owner),
      );
      const findings = findingLines(asked);
      const hold = findings.filter((finding) => !finding.warn).length;
      await pulumi.log.warn(
        `${settings.changeId}: going back, ${wanted} → ${accepted}, by ${asText(settings.goBack)}`,
      );
      await pulumi.log.info(`What it needs (${hold} of ${findings.length} hold)`);
      for (const { text, warn } of findings) await (warn ? pulumi.log.warn(text) : pulumi.log.info(text));
      const last = await backupToGoTo(settings);
      const loss = describeLoss(settings, last && ageMs(last));
      const lookedFor = [describeLosses, describeObjects].map((look) => look(settings, sshPrivateKey));
      loss.push(...(await Promise.all(lookedFor)).flat());
      await pulumi.log.warn(loss.join("\n"));
      await pulumi.log.info(
        [...describePlan(planOf(settings), wanted, accepted), ...afterwards(settings, mode)].join("\n"),
      );
      const steps = stepsSeen(withExpectations(planOf(settings), settings));
      await tellSeen({ at, findings: asked, nodes: {}, steps, wayBack: loss, cost });
    });
}

/** @param mode `back` where the whole cluster is back, or on its way: a node that is mended then does not turn it forward */
const afterwards = (settings: Run["settings"], mode: ChangeState["mode"]): string[] => {
  const { goBack, acceptedVersion, operators, osPatch } = settings;
  const end = isRound(settings)
    ? giveUpRound(osPatch)
    : `pulumi config set 'rke2-upgrade:rke2Version' ${acceptedVersion}`;
  const adopt = operators.length > 0 ? [ADOPT] : [];
  return goBack?.nodes && mode !== "back"
    ? [
        "Then",
        ...adopt,
        "  pulumi config rm 'rke2-upgrade:goBack' and pulumi up: the change goes forward again",
      ]
    : [
        "Then",
        ...leftOut(settings),
        ...adopt,
        `  pulumi config rm 'rke2-upgrade:goBack', ${end}, pulumi up: nodes are proven, snapshots go`,
        "  or unset goBack alone and pulumi up: the change goes forward again",
      ];
};

/** Settling proves every node: one that was left out is mended before. */
const leftOut = ({ goBack }: Run["settings"]): string[] =>
  (goBack?.without ?? []).map(
    (name) => `  mend ${name}, which was left out: goBack {strategy: rollback, nodes: [${name}]}, pulumi up`,
  );

const ADOPT =
  "  set adopt: true (rancher.adopt for Rancher) for each of operators whose release is in the cluster: their releases leave this stack's state";

/** What there is to go back to, and what going back loses: said before it happens. */
async function wayBack(settings: Run["settings"]): Promise<string[]> {
  const { acceptedVersion, changeId, backup, limits, objectives, restoreTest } = settings;
  if (!isChanging(settings)) return [];
  const last = await backupToGoTo(settings);
  return [
    "The way back, until acceptance",
    `  VM snapshots ${snapshotName(acceptedVersion, changeId)} of every node`,
    restoreTest.enabled
      ? `  the proof that ${restoreTestNode(settings).name}'s can be restored, in VM ${restoreTest.vmId}`
      : "  no proof that one can be restored: restoreTest.enabled is false",
    `  etcd snapshots in ${backup.directory}, encrypted for ${backup.recipients.length} recipients, one at least every ${objectives.rpoMinutes} min through the run`,
    `  the release files of ${acceptedVersion} on every node`,
    "What going back loses",
    `  ${describeBackupToGoTo(settings, last && ageMs(last))}`,
    ...(goingBackTakesEtcd(settings)
      ? [
          `  what that is grows with its age: older than ${limits.wayBackMaxAgeHours} h, as when agents are left for another window, the run stops until you go back or set acceptedServers to ${changeId}`,
        ]
      : []),
    "  where a VM is rolled back: all that was written to its disks after its snapshot, local volumes included",
  ];
}
