/** The report, made of evidence and the approved plan alone: the same two give the same bytes. Pure. */
import type { Access } from "./accessSchema";
import { accessStatements, accessTold } from "./accessStatements";
import { type AnyRun, allRuns, untoldResult } from "./allRuns";
import { asFile, digestOf } from "./canonical";
import { controlsOf } from "./controls";
import type { Evidence, Resource, Update } from "./evidenceSchema";
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
  gathered: Evidence,
  plan: PlanRecord | undefined,
  program: string,
  collected?: Access,
): ReportRecord {
  const access = collected && { sha256: digestOf(asFile(collected)), ...accessTold(collected) };
  // Pulumi's history holds refreshes too, which do nothing to the cluster and prove nothing of it.
  const evidence = { ...gathered, updates: gathered.updates.filter(({ kind }) => kind === "update") };
  const resources = ofThisChange(evidence);
  const steps = stepsOf(resources, plan);
  const { change } = evidence;
  const all = allRuns(evidence);
  const [startedAt, endedAt] = [all[0]?.startedAt, all.at(-1)?.endedAt];
  const snapshots = snapshotsOf(resources);
  const backups = backupsOf(resources);
  const restoreTest = restoreTestOf(resources);
  const runs = all.map((run) => runOf(run, evidence));
  const nodes = nodesOf(evidence, resources, plan);
  const report: Omit<ReportRecord, "controls"> = {
    $schema: "docs/report.schema.json",
    kind: "change report",
    version: 1,
    changeId: evidence.changeId,
    stack: evidence.stack,
    from: plan?.from ?? change.from,
    to: plan?.to ?? change.wanted,
    outcome: outcomeOf(evidence, nodes),
    operators:
      plan?.direction === "settled"
        ? plan.operators?.map(({ name, from, to }) => ({ name, from, to }))
        : undefined,
    program,
    evidence: digestOf(asFile(gathered)),
    plan: plan && {
      digest: plan.digest.value,
      plannedAt: plan.plannedAt,
      expectedSeconds: plan.expectedSeconds,
    },
    startedAt,
    endedAt,
    seconds: startedAt && endedAt ? between(startedAt, endedAt) : undefined,
    workedSeconds: all.reduce(
      (sum, { startedAt, endedAt }) => sum + (endedAt ? between(startedAt, endedAt) : 0),
      0,
    ),
    nodes,
    steps,
    gates: resources.flatMap(({ name, found, askedAt = "not measured", askedBy = "not measured" }) =>
      found ? [{ name, askedAt, askedBy, found: found.map((line) => line.trim()) }] : [],
    ),
    snapshots,
    backups,
    exports: exportsOf(resources),
    restoreTest,
    runs,
    approvals: evidence.runs.map(({ digest, approvedBy, approval }) => ({ digest, approvedBy, approval })),
    told: evidence.notifications,
    signOff: evidence.signOff,
    availability: evidence.availability,
    access,
    statements: [
      ...peopleStatements(evidence),
      ...drainStatements(nodes),
      availabilityStatement(evidence),
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

/** How it stands: a run that ended well, and every node's own proof; the one without the other is no end. */
function outcomeOf(evidence: Evidence, nodes: ReportRecord["nodes"]): ReportRecord["outcome"] {
  const { change, updates } = evidence;
  const { wanted, accepted, goBack, round, acceptedRound } = change;
  const newest = allRuns(evidence)
    .filter(({ own }) => own?.begun !== false)
    .at(-1)?.update;
  const ended = newest?.result === "succeeded" && isAsked(change, newest);
  const isAt = (version: string) =>
    ended && nodes.length > 0 && nodes.every(({ after }) => after === version);
  // With nodes named it mends those, and the change stays forward.
  if (goBack && !goBack.includes(":")) return isAt(accepted) ? "gone back" : "going back";
  // No version moves in a round of OS patches, and who is not patched has no turn: a run that ended well did it all.
  if (round && round !== acceptedRound) return ended ? "patched, not accepted" : "under way";
  if (!isAt(wanted)) return "under way";
  if (wanted !== accepted) return "upgraded, not accepted";
  const upgrades = updates.filter(({ wanted, accepted }) => wanted !== accepted);
  const rounds = updates.flatMap(({ round }) => round ?? []);
  if (upgrades.length + rounds.length === 0) return "settled";
  if (rounds.some((one) => one === acceptedRound)) return "accepted";
  if (upgrades.some((upgrade) => upgrade.wanted === accepted)) return "accepted";
  return updates.some(({ goBack }) => goBack) ? "gone back" : "withdrawn";
}

/**
 * Whether an update was of what the state stands at. The change is the first that a run writes down: one that was killed
 * after that leaves a state that says "accepted", and no word of its own in Pulumi's history.
 */
function isAsked(change: Evidence["change"], update: Update): boolean {
  const { wanted, accepted, goBack, round, acceptedRound } = change;
  return (
    update.wanted === wanted &&
    update.accepted === accepted &&
    (update.goBack !== "") === (goBack !== "") &&
    (update.round ?? "") === (round !== acceptedRound ? (round ?? "") : "")
  );
}

/** By what the nodes' own steps said in this change, never by the stack's output, which only a run that ends well renews. */
function nodesOf(
  { manifest }: Evidence,
  resources: readonly Resource[],
  plan: PlanRecord | undefined,
): ReportRecord["nodes"] {
  const said = (step: string, name: string) =>
    resources.filter(({ result }) => result?.step === step && result.node === name).at(-1)?.result;
  const listed = manifest as Record<string, unknown>;
  const names = plan?.nodes.map(({ name }) => name) ?? Object.keys((listed.nodes as object) ?? listed).sort();
  return names.map((name) => {
    const [asked, proven, drained] = ["gate-node", "verify-node", "drain"].map((step) => said(step, name));
    const turn = resources.filter((one) => turnOf(one.name) === name).map(timeOf);
    const first = turn.flatMap(({ startedAt }) => startedAt ?? []).sort()[0];
    const last = turn
      .flatMap(({ endedAt }) => endedAt ?? [])
      .sort()
      .at(-1);
    const planned = plan?.nodes.find((node) => node.name === name);
    return {
      name,
      before: versionBefore(asked?.version, proven?.version, planned?.seen),
      after: proven ? String(proven.version) : "not measured",
      provenAt: proven ? String(proven.startedAt) : "not measured",
      seconds: first && last ? between(first, last) : undefined,
      expectedSeconds: planned?.expectedSeconds,
      drain: drained && {
        evicted: numberOf(drained.evicted),
        budgets: numberOf(drained.budgets),
        headroom: numberOf(drained.headroom),
        budget: drained.budget === undefined ? undefined : String(drained.budget),
      },
    };
  });
}

type Said = string | number | boolean | undefined;
const numberOf = (value: Said): number | undefined => (typeof value === "number" ? value : undefined);

/**
 * What a node ran before its turn, by its own word: to its gate; where that was asked again after the turn, when the plan
 * was made.
 */
function versionBefore(
  asked: Said,
  proven: Said,
  seen: PlanRecord["nodes"][number]["seen"] | undefined,
): string {
  if (typeof asked === "string" && asked.startsWith("v") && asked !== proven) return asked;
  return (seen && "versionRunning" in seen && seen.versionRunning) || "not measured";
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

/** Of Rancher's configuration; before its first installation there is nothing to export. */
function exportsOf(resources: readonly Resource[]): ReportRecord["exports"] {
  const found = resources.flatMap(({ kind, result = {} }) =>
    kind === "RancherBackup" && result.file
      ? [
          {
            file: String(result.file),
            sha256: String(result.sha256),
            takenAt: String(result.takenAt),
            version: String(result.version),
            restore: String(result.restore),
          },
        ]
      : [],
  );
  return found.length > 0 ? found : undefined;
}

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

function runOf(run: AnyRun, { operators }: Evidence): ReportRecord["runs"][number] {
  const { startedAt, endedAt, update, own } = run;
  const within = (at: string) => startedAt <= at && endedAt !== undefined && at <= endedAt;
  const asked = operators.filter(({ at }) => within(iso(at))).at(-1);
  return {
    startedAt,
    endedAt,
    result: update?.result ?? untoldResult(run),
    does: update ? does(update) : "not measured: change apply began it",
    by: own?.by ?? asked?.by ?? "not measured",
    // Pulumi says so of any plan that `up --plan` was given; that it was the approved one, our own run says.
    enforcedPlan: update?.enforcedPlan && own !== undefined,
    program: update?.program ?? "not measured",
    errors:
      own?.errors ??
      (update?.result === "succeeded"
        ? []
        : ["not measured: Pulumi's history keeps no messages; runs begun with change apply are kept"]),
  };
}

function does({ wanted, accepted, goBack, round }: Update): string {
  if (goBack) return `going back: ${goBack}`;
  if (round) return `patching the OS: ${round}`;
  return wanted === accepted ? `settling on ${wanted}` : `upgrading ${accepted} → ${wanted}`;
}

/** Who was told (§3.2), and who signed off (§2.3). */
function peopleStatements({ notifications = [], runs, signOff }: Evidence): Statement[] {
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
    signOffStatement(runs, signOff),
  ];
}

function signOffStatement(runs: Evidence["runs"], signOff: Evidence["signOff"]): Statement {
  const source = "§2.3: signOff in the stack's config";
  if (!signOff) return { text: "no sign-off of Operations was given", measured: false, source };
  const given = `${signOff.by}, ${signOff.at ?? "without a time"}`;
  return runs.some((run) => run.signOff)
    ? {
        text: `Operations signed the validation off: ${given}`,
        measured: true,
        source: "the record of the run that it let through (§2.3)",
      }
    : {
        text: `no run of change apply was let through by a sign-off of Operations; the config states one: ${given}`,
        measured: false,
        source,
      };
}

/** Evictions and what room the budgets left them: told as not measured where it was not. */
function drainStatements(nodes: ReportRecord["nodes"]): Statement[] {
  const drains = nodes.flatMap(({ name, drain }) => (drain ? [{ name, ...drain }] : []));
  if (drains.length === 0)
    return [
      { text: "evictions: no node was drained", measured: false, source: "no drain in the stack's state" },
    ];
  const counted = drains.filter(({ evicted }) => evicted !== undefined);
  const asked = drains.filter(({ budgets }) => budgets !== undefined);
  const [tightest] = asked
    .filter(({ headroom }) => headroom !== undefined)
    .sort((a, b) => Number(a.headroom) - Number(b.headroom));
  const room = tightest
    ? `the tightest budget, ${tightest.budget}, allowed ${tightest.headroom} disruptions as ${tightest.name} began to be drained`
    : "no budget guarded a pod that was evicted";
  return [
    {
      text:
        counted.length > 0
          ? `${counted.reduce((sum, { evicted = 0 }) => sum + evicted, 0)} pods were evicted from ${ofDrained(counted, drains)}, by the eviction API, which honours budgets`
          : "evictions: not measured",
      measured: counted.length === drains.length,
      source: "the last line of each drain: kubectl's own word on each pod, in all tries",
    },
    {
      text: asked.length > 0 ? `${room}; ${ofDrained(asked, drains)}` : "budget headroom: not measured",
      measured: asked.length === drains.length,
      source: "the last line of each drain: disruptionsAllowed of the budgets that match its pods",
    },
  ];
}

const ofDrained = (some: readonly unknown[], all: readonly unknown[]): string =>
  `${some.length} of ${all.length} drained nodes${some.length < all.length ? ", the others not measured" : ""}`;

const iso = (text: string): string => new Date(text).toISOString();
const between = (from: string, to: string): number =>
  Math.round((new Date(to).getTime() - new Date(from).getTime()) / 100) / 10;
