/** The report, made of evidence and the approved plan alone: the same two give the same bytes. Pure. */
import type { Access } from "./accessSchema";
import { accessStatements, accessTold } from "./accessStatements";
import { asFile, digestOf } from "./canonical";
import { controlsOf } from "./controls";
import type { Evidence, Resource, Run, Update } from "./evidenceSchema";
import { turnOf } from "./lanes";
import { availabilityStatement } from "./live/statement";
import type { PlanRecord } from "./planSchema";
import type { ReportRecord, Statement } from "./reportSchema";
import { stepsOf, timeOf } from "./steps";

/**
 * The report of a change.
 * @param plan the approved one, where there is one
 * @param program the digest of its maker
 * @param access what was collected of who had access, where it was
 */
export function reportRecord(
  evidence: Evidence,
  plan: PlanRecord | undefined,
  program: string,
  collected?: Access,
): ReportRecord {
  const access = collected && { sha256: digestOf(asFile(collected)), ...accessTold(collected) };
  const resources = ofThisChange(evidence);
  const steps = stepsOf(resources, plan);
  const { updates, change } = evidence;
  const [startedAt, endedAt] = [updates[0]?.startedAt, updates.at(-1)?.endedAt];
  const snapshots = snapshotsOf(resources);
  const backups = backupsOf(resources);
  const restoreTest = restoreTestOf(resources);
  const runs = updates.map((update) => runOf(update, evidence));
  const report: Omit<ReportRecord, "controls"> = {
    $schema: "docs/report.schema.json",
    kind: "change report",
    version: 1,
    changeId: evidence.changeId,
    stack: evidence.stack,
    from: plan?.from ?? change.from,
    to: plan?.to ?? change.wanted,
    outcome: outcomeOf(evidence),
    program,
    evidence: digestOf(asFile(evidence)),
    plan: plan && {
      digest: plan.digest.value,
      plannedAt: plan.plannedAt,
      expectedSeconds: plan.expectedSeconds,
    },
    startedAt,
    endedAt,
    seconds: startedAt && endedAt ? between(startedAt, endedAt) : undefined,
    workedSeconds: updates.reduce((sum, { startedAt, endedAt }) => sum + between(startedAt, endedAt), 0),
    nodes: nodesOf(evidence, resources, plan),
    steps,
    gates: resources.flatMap(({ name, found, askedAt = "not measured", askedBy = "not measured" }) =>
      found ? [{ name, askedAt, askedBy, found: found.map((line) => line.trim()) }] : [],
    ),
    snapshots,
    backups,
    restoreTest,
    runs,
    approvals: evidence.runs.map(({ digest, approvedBy, approval }) => ({ digest, approvedBy, approval })),
    told: evidence.notifications,
    signOff: evidence.signOff,
    availability: evidence.availability,
    access,
    statements: [
      ...peopleStatements(evidence),
      ...otherStatements(resources, evidence),
      ...accessStatements(access),
    ],
  };
  return { ...report, controls: controlsOf(report) };
}

/** Without what an earlier attempt left that did nothing but prove: the adoption's, under the same change ID. */
function ofThisChange({ resources, change }: Evidence): Resource[] {
  const worked = resources.filter(({ name }) => /-(fetch-artifacts|install|back-install)$/.test(name));
  const first = Math.min(change.attempt, ...worked.map(({ attempt = change.attempt }) => attempt));
  const begun = worked.map(({ created = "" }) => created).sort()[0];
  return resources.filter(
    ({ attempt, kind, modified = "" }) =>
      (attempt === undefined || attempt >= first) && (kind !== "Release" || !begun || modified >= begun),
  );
}

function outcomeOf({ change, updates }: Evidence): ReportRecord["outcome"] {
  const ended = updates.at(-1)?.result === "succeeded";
  if (change.goBack) return ended ? "gone back" : "going back";
  if (change.wanted !== change.accepted) return ended ? "upgraded, not accepted" : "under way";
  if (!ended) return "under way";
  const upgrades = updates.filter(({ wanted, accepted }) => wanted !== accepted);
  if (upgrades.length === 0) return "settled";
  if (upgrades.some(({ wanted }) => wanted === change.accepted)) return "accepted";
  return updates.some(({ goBack }) => goBack) ? "gone back" : "withdrawn";
}

/** By what the nodes' own steps said in this change, never by the stack's output, which only a run that ends well renews. */
function nodesOf(
  { change, manifest }: Evidence,
  resources: readonly Resource[],
  plan: PlanRecord | undefined,
): ReportRecord["nodes"] {
  const said = (step: string, name: string) =>
    resources.filter(({ result }) => result?.step === step && result.node === name).at(-1)?.result;
  const listed = manifest as Record<string, unknown>;
  const names = plan?.nodes.map(({ name }) => name) ?? Object.keys((listed.nodes as object) ?? listed).sort();
  return names.map((name) => {
    const [asked, proven] = [said("gate-node", name), said("verify-node", name)];
    const turn = resources.filter((one) => turnOf(one.name) === name).map(timeOf);
    const first = turn.flatMap(({ startedAt }) => startedAt ?? []).sort()[0];
    const last = turn
      .flatMap(({ endedAt }) => endedAt ?? [])
      .sort()
      .at(-1);
    const evicted = resources.find((one) => one.name === `${name}-drain`)?.result?.evicted;
    const before = asked?.version === proven?.version && proven ? change.from : asked?.version;
    return {
      name,
      before: before === undefined ? "not measured" : String(before),
      after: proven ? String(proven.version) : "not measured",
      provenAt: proven ? String(proven.startedAt) : "not measured",
      seconds: first && last ? between(first, last) : undefined,
      expectedSeconds: plan?.nodes.find((node) => node.name === name)?.expectedSeconds,
      evicted: typeof evicted === "number" ? evicted : undefined,
    };
  });
}

const snapshotsOf = (resources: readonly Resource[]): ReportRecord["snapshots"] =>
  resources
    .filter(({ kind }) => kind === "VmSnapshot")
    .map(({ name: resource, result = {} }) => ({
      node: resource.replace(/-vm-snapshot$/, ""),
      name: String(result.name),
      vmId: Number(result.vmId),
      takenAt: String(result.takenAt),
      consistent:
        result.crashConsistent === false ? "file systems frozen" : "crash-consistent, as after a power cut",
      seconds: Number(result.seconds),
      task: String(result.upid || "not measured: Proxmox VE no longer knows the task"),
    }))
    .sort((a, b) => (a.node < b.node ? -1 : 1));

const backupsOf = (resources: readonly Resource[]): ReportRecord["backups"] =>
  resources
    .filter(({ kind }) => kind === "EtcdBackup")
    .map(({ result = {} }) => ({
      file: String(result.file),
      sha256: String(result.sha256),
      takenAt: String(result.takenAt),
      version: String(result.version),
    }));

function restoreTestOf(resources: readonly Resource[]): Statement {
  const found = resources.find(({ kind }) => kind === "RestoreTest");
  const source = "the resource RestoreTest in the stack's state";
  if (!found?.result) return { text: "not measured: no restore test has run", measured: false, source };
  const { result, why, node, seconds } = found.result;
  return {
    text: `${result}: ${why}${result === "passed" ? ` (${node}, ${seconds} s)` : ""}`,
    measured: result === "passed",
    source,
  };
}

function runOf(update: Update, { operators, runs }: Evidence): ReportRecord["runs"][number] {
  const within = (at: string) => update.startedAt <= at && at <= update.endedAt;
  const own = runs.find((run) => isRunOf(run, update));
  const asked = operators.filter(({ at }) => within(iso(at))).at(-1);
  return {
    startedAt: update.startedAt,
    endedAt: update.endedAt,
    result: update.result,
    does: does(update),
    by: own?.by ?? asked?.by ?? "not measured",
    enforcedPlan: update.enforcedPlan,
    program: update.program,
    errors:
      update.result === "succeeded"
        ? []
        : (own?.errors ?? [
            "not measured: Pulumi's history keeps no messages; runs begun with change apply are kept",
          ]),
  };
}

/**
 * A run of ours and Pulumi's record of it: the update begins within the run. One that was killed wrote no end, so whatever
 * came later may be another's.
 */
const isRunOf = (run: Run, { startedAt }: Update): boolean =>
  run.startedAt.slice(0, 19) <= startedAt.slice(0, 19) &&
  run.endedAt !== undefined &&
  startedAt <= run.endedAt;

function does({ wanted, accepted, goBack }: Update): string {
  if (goBack) return `going back: ${goBack}`;
  return wanted === accepted ? `settling on ${wanted}` : `upgrading ${accepted} → ${wanted}`;
}

/** Who was told (§3.2), and who signed off (§2.3). */
function peopleStatements({ notifications = [], signOff }: Evidence): Statement[] {
  const delivered = notifications.filter(({ outcome }) => outcome === "delivered").length;
  return [
    notifications.length > 0
      ? {
          text: `${delivered} of ${notifications.length} notifications were delivered`,
          measured: true,
          source: "notifications.jsonl: what each receiver answered (§3.2)",
        }
      : {
          text: "whether those who are to be told were told: not measured",
          measured: false,
          source: "§3.2: nobody was told by npm run change",
        },
    signOff
      ? {
          text: `Operations signed the validation off: ${signOff.by}, ${signOff.at ?? "without a time"}`,
          measured: true,
          source: "signOff in the stack's config (§2.3)",
        }
      : {
          text: "no sign-off of Operations was given",
          measured: false,
          source: "§2.3: signOff in the stack's config",
        },
  ];
}

/** What the procedure asks for beside the steps (§4.1): told as not measured where it was not. */
function otherStatements(resources: readonly Resource[], evidence: Evidence): Statement[] {
  const drains = resources.filter(({ name, kind }) => kind === "Command" && name.endsWith("-drain"));
  const evicted = drains.reduce((sum, { result }) => sum + Number(result?.evicted ?? 0), 0);
  return [
    drains.length > 0
      ? {
          text: `${evicted} pods were evicted, budgets honoured`,
          measured: true,
          source: `the last line of ${drains.length} drains (eviction API)`,
        }
      : { text: "evictions: no node was drained", measured: false, source: "no drain in the stack's state" },
    availabilityStatement(evidence),
  ];
}

const iso = (text: string): string => new Date(text).toISOString();
const between = (from: string, to: string): number =>
  Math.round((new Date(to).getTime() - new Date(from).getTime()) / 100) / 10;
