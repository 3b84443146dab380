/** The controls of procedure §5.1, §5.2 and §5.3, each with what this change gives as evidence. Pure. */
import { accessStatements } from "./accessStatements";
import { CONTROLS } from "./procedure";
import type { ReportRecord, Statement } from "./reportSchema";

type Facts = Omit<ReportRecord, "controls">;

/** Every control with its statements; what was not measured says so. */
export const controlsOf = (facts: Facts): ReportRecord["controls"] => [
  { ...CONTROLS.inventory, statements: inventory(facts) },
  { ...CONTROLS.change, statements: changeControl(facts) },
  { ...CONTROLS.backup, statements: backup(facts) },
  { ...CONTROLS.baseline, statements: baseline(facts) },
  { ...CONTROLS.access, statements: accessStatements(facts.access) },
];

function inventory({ nodes, steps, told = [] }: Facts): Statement[] {
  const known = nodes.filter(({ before, after }) => ![before, after].includes("not measured"));
  const written = steps.some(({ name, outcome }) => /manifest/.test(name) && outcome === "written");
  return [
    {
      text: `versions before and after of ${known.length} of ${nodes.length} nodes`,
      measured: known.length === nodes.length && nodes.length > 0,
      source: "each node's own word: to its gate or when the plan was made, and to its verification",
    },
    {
      text: written
        ? "the version manifest stands in the cluster as a ConfigMap"
        : "no version manifest was written to the cluster",
      measured: written,
      source: "the resource ConfigMap in the stack's state",
    },
    glpiInventory(told),
  ];
}

function glpiInventory(told: NonNullable<Facts["told"]>): Statement {
  const last = told.filter(({ kind }) => kind === "inventory").at(-1);
  return last
    ? {
        text: `inventory in GLPI: ${last.outcome}${last.detail ? `, ${last.detail}` : ""}`,
        measured: last.outcome === "delivered",
        source: "GLPI's answers, in notifications.jsonl",
      }
    : {
        text: "inventory in GLPI: not measured",
        measured: false,
        source: "attach this report to the ticket",
      };
}

/** The change's ticket, where it was told of anything. */
function ticket(told: NonNullable<Facts["told"]>): Statement[] {
  const followed = told.filter(
    ({ channel, kind, outcome }) => channel === "glpi" && kind !== "inventory" && outcome === "delivered",
  );
  return followed.length === 0
    ? []
    : [
        {
          text: `the change's ticket in GLPI: ${followed.at(-1)?.detail}, ${followed.length} follow-ups`,
          measured: true,
          source: "GLPI's answers, in notifications.jsonl",
        },
      ];
}

/** How many failed, and whether that was the end of it. */
export function failedRuns(runs: Facts["runs"]): string {
  const failed = runs.filter(({ result }) => result !== "succeeded").length;
  if (failed === 0) return "0";
  const last = runs.at(-1)?.result === "succeeded" ? "all gone on with" : "the last one among them";
  return `${failed}, ${last}`;
}

function changeControl({ plan, approvals, runs, changeId, told = [] }: Facts): Statement[] {
  return [
    plan
      ? {
          text: `a change request ${changeId} with the digest ${plan.digest}, planned at ${plan.plannedAt}`,
          measured: true,
          source: "change.json",
        }
      : {
          text: "no change request was made with change plan",
          measured: false,
          source: "change.json is not there",
        },
    ...(approvals.length > 0
      ? approvals.map(({ digest, approvedBy, approval }) => ({
          text: `${digest.slice(0, 16)}… approved by ${approvedBy}: ${approval}`,
          measured: true,
          source: "the run's own record",
        }))
      : [
          {
            text: "approval: not measured",
            measured: false,
            source: "no run was begun with change apply, which verifies it",
          },
        ]),
    {
      text: `${runs.length} runs, failed: ${failedRuns(runs)}`,
      measured: runs.length > 0,
      source: "Pulumi's history, and the records of runs that it does not know",
    },
    ...ticket(told),
  ];
}

function backup({ snapshots, backups, exports, restoreTest, nodes }: Facts): Statement[] {
  return [
    {
      text: `${snapshots.length} VM snapshots for ${nodes.length} nodes`,
      measured: snapshots.length > 0,
      source: "VmSnapshot in the stack's state, each with its task in Proxmox VE",
    },
    {
      text: `${backups.length} etcd snapshot off its node, encrypted`,
      measured: backups.length > 0,
      source: "EtcdBackup in the stack's state, with its sha256",
    },
    {
      text: "etcd snapshots that the timer took later: not measured",
      measured: false,
      source: "backup.directory, where they lie beside it; no state holds them",
    },
    ...(exports
      ? [
          {
            text: `${exports.length} export of Rancher's configuration, encrypted`,
            measured: true,
            source: "RancherBackup in the stack's state, with its sha256",
          },
        ]
      : []),
    { ...restoreTest, text: `restore test ${restoreTest.text}` },
  ];
}

function baseline({ steps }: Facts): Statement[] {
  const kept = steps.filter(
    ({ name, outcome }) => name.endsWith("-backup-config") && outcome !== "not done",
  ).length;
  const validated = steps.find(({ name, outcome }) => /(^|-)validate$/.test(name) && outcome !== "not done");
  return [
    {
      text: `RKE2's config was kept as it was on ${kept} nodes`,
      measured: kept > 0,
      source: "the last line of backup-config",
    },
    validated
      ? {
          text: `validated after the upgrade: ${validated.outcome}`,
          measured: true,
          source: "the last line of validate (§3.3.3)",
        }
      : {
          text: "validation after the upgrade: not measured",
          measured: false,
          source: "no step validate has ended",
        },
    scanned(steps),
  ];
}

/** The scans in the validation and before acceptance: a step of them ends well only without a new failure that nobody acknowledged. */
function scanned(steps: Facts["steps"]): Statement {
  const done = steps.filter(
    ({ name, outcome }) => /-scan-(after|accept)$/.test(name) && outcome !== "not done",
  );
  return done.length > 0
    ? {
        text: `CIS benchmark scan after the upgrade, no new failure that is not acknowledged: ${done.map(({ name, outcome }) => `${name}: ${outcome}`).join("; ")}`,
        measured: true,
        source: "the last line of each scan (kube-bench, §5.1)",
      }
    : {
        text: "CIS benchmark scan after the upgrade: not measured",
        measured: false,
        source: "§5.1: no scan was asked for (config `scan`), or none has ended",
      };
}
