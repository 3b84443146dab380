import * as pulumi from "@pulumi/pulumi";
import {
  describeLoss,
  describePlan,
  describeWaysBack,
  type Secrets,
  settingsWarnings,
  snapshotName,
} from "../config";
import { judge, observe } from "../observe";
import { findingLines } from "../observe/print";
import { asText, isUnderWay } from "./changePolicy";
import { newestBackupAge } from "./etcdBackupFile";
import { planOf } from "./plan";
import { askBack } from "./recovery/questions";
import { situationOf } from "./recovery/situation";
import type { Run } from "./step";

/**
 * Prints, on the stack, one ordered and numbered list: each check with its figure, then every node with from → to and
 * its steps, then the way back. It is the evidence in the change request. Looks are bounded and change nothing; a
 * failed check warns here and stops `up` in {@link Preflight}. No live value leaves this function.
 */
export function announce(run: Run, secrets: Secrets): void {
  if (run.settings.goBack) announceWayBack(run, secrets);
  else announceChange(run, secrets);
}

function announceChange({ settings, change }: Run, secrets: Secrets): void {
  const { rke2Version: wanted, acceptedVersion: accepted } = settings;
  const title = isUnderWay({ wanted, accepted })
    ? `${settings.changeId}: ${accepted} → ${wanted}`
    : `settled on ${wanted}: nothing is installed`;
  pulumi
    .all([secrets.sshPrivateKey, secrets.proxmoxTokenSecret, change.owner])
    .apply(async ([sshPrivateKey, proxmoxTokenSecret, owner]) => {
      const facts = await observe(settings, { sshPrivateKey, proxmoxTokenSecret });
      const findings = findingLines(judge(settings, facts, owner));
      await pulumi.log.info(
        `${title}\nChecks (${findings.filter((f) => !f.warn).length} of ${findings.length} hold)`,
      );
      for (const { text, warn } of findings) await (warn ? pulumi.log.warn(text) : pulumi.log.info(text));
      for (const { path, text } of settingsWarnings(settings)) await pulumi.log.warn(`${path}: ${text}`);
      const fits = isUnderWay({ wanted, accepted })
        ? describeWaysBack(settings, await situationOf(settings, facts, sshPrivateKey))
        : [];
      const lines = [...describePlan(planOf(settings), accepted, wanted), ...wayBack(settings), ...fits];
      await pulumi.log.info(lines.join("\n"));
    });
}

/** The same for a way back: what it needs, what it loses and what cannot be undone, then its steps. */
function announceWayBack({ settings, change }: Run, secrets: Secrets): void {
  const { rke2Version: wanted, acceptedVersion: accepted } = settings;
  pulumi
    .all([secrets.sshPrivateKey, secrets.proxmoxTokenSecret, change.owner])
    .apply(async ([sshPrivateKey, proxmoxTokenSecret, owner]) => {
      const findings = findingLines(await askBack({ settings, sshPrivateKey, proxmoxTokenSecret }, owner));
      const hold = findings.filter((finding) => !finding.warn).length;
      await pulumi.log.warn(
        `${settings.changeId}: going back, ${wanted} → ${accepted}, by ${asText(settings.goBack)}`,
      );
      await pulumi.log.info(`What it needs (${hold} of ${findings.length} hold)`);
      for (const { text, warn } of findings) await (warn ? pulumi.log.warn(text) : pulumi.log.info(text));
      await pulumi.log.warn(describeLoss(settings, await newestBackupAge(settings)).join("\n"));
      await pulumi.log.info(
        [...describePlan(planOf(settings), wanted, accepted), ...afterwards(settings)].join("\n"),
      );
    });
}

const afterwards = ({ goBack, acceptedVersion }: Run["settings"]): string[] =>
  goBack?.nodes
    ? ["Then", "  pulumi config rm 'rke2-upgrade:goBack' and pulumi up: the change goes forward again"]
    : [
        "Then",
        `  pulumi config rm 'rke2-upgrade:goBack', pulumi config set 'rke2-upgrade:rke2Version' ${acceptedVersion}, pulumi up: nodes are proven, snapshots go`,
        "  or unset goBack alone and pulumi up: the change goes forward again",
      ];

function wayBack({ rke2Version, acceptedVersion, changeId, backup }: Run["settings"]): string[] {
  if (rke2Version === acceptedVersion) return [];
  return [
    "The way back, until acceptance",
    `  VM snapshots ${snapshotName(acceptedVersion, changeId)} of every node`,
    `  an etcd snapshot in ${backup.directory}, encrypted for ${backup.recipients.length} recipients`,
    `  the release files of ${acceptedVersion} on every node`,
  ];
}
