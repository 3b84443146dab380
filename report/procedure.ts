/** Tables of the procedure that a record carries as they stand there. Data alone, each with its section. */
import { type NOTIFIED, objectiveOf, type Scenario, type Settings, STAKEHOLDERS } from "../config";

/** In the order of the stakeholders' keys in the config. */
const TEAMS = ["Infrastructure Team", "Change Advisory Board", "DevOps Team", "Operations"] as const;

type Stakeholder = (typeof STAKEHOLDERS)[number];

/** Procedure §2.3: R responsible, A accountable, C consulted, I informed; by activity, in the order of the teams. */
const RACI: Readonly<Record<string, readonly [string, string, string, string]>> = {
  "Upgrade Planning": ["R/A", "C", "C", "I"],
  "Change Request Approval": ["I", "R/A", "C", "I"],
  "Pre-Upgrade Testing": ["R/A", "I", "C", "I"],
  "Control Plane Upgrade": ["R/A", "I", "C", "C"],
  "Worker Node Upgrade": ["R/A", "I", "C", "C"],
  "Post-Upgrade Validation": ["R", "I", "C", "R/A"],
  "Rollback (if necessary)": ["R/A", "I", "C", "C"],
};

/** The responsibility matrix, a row an activity. */
export const raci = (): Record<string, string>[] =>
  Object.entries(RACI).map(([activity, letters]) => ({
    activity,
    ...Object.fromEntries(TEAMS.map((team, i) => [team, letters[i] ?? ""])),
  }));

/** When somebody is to be told, by the matrix: whoever is consulted or informed of that activity, or accountable for it. */
export const MOMENTS: readonly {
  readonly when: string;
  readonly activity: keyof typeof RACI;
  readonly what: string;
  /** What this program tells then. */
  readonly kinds: readonly (typeof NOTIFIED)[number][];
}[] = [
  {
    when: "in advance",
    activity: "Upgrade Planning",
    what: "this change request and its window (§3.2)",
    kinds: ["announcement"],
  },
  {
    when: "when it is approved",
    activity: "Change Request Approval",
    what: "the digest that was approved",
    kinds: ["start"],
  },
  {
    when: "before the first server",
    activity: "Control Plane Upgrade",
    what: "servers begin, one at a time",
    kinds: ["start", "nodeDone", "held", "failed"],
  },
  {
    when: "before the first agent",
    activity: "Worker Node Upgrade",
    what: "agents begin, in the plan's order",
    kinds: ["nodeDone", "held", "failed"],
  },
  {
    when: "after the last node",
    activity: "Post-Upgrade Validation",
    what: "validation; Operations signs it off",
    kinds: ["done"],
  },
  {
    when: "if it goes back",
    activity: "Rollback (if necessary)",
    what: "the way back, and what it loses",
    kinds: ["rollback"],
  },
];

/** Who is told of an activity: each team with its key in `notifications.stakeholders` and its letters. */
export const toldOf = (activity: keyof typeof RACI) =>
  TEAMS.map((team, i) => ({
    team,
    key: STAKEHOLDERS[i] as Stakeholder,
    letters: RACI[activity]?.[i] ?? "",
  })).filter(({ letters }) => /[CI]|R\/A/.test(letters));

/** Procedure §6.2: how a failure is recovered from, and by whom. */
const RECOVERY: Readonly<Record<Scenario, { readonly name: string; readonly recovery: string }>> = {
  controlPlane: { name: "Control Plane Failure", recovery: "Restore VM snapshots, verify etcd quorum" },
  worker: { name: "Worker Node Failure", recovery: "Restore VM snapshot, rejoin cluster" },
  fullCluster: { name: "Full Cluster Failure", recovery: "Restore all VMs, validate etcd data" },
  partialUpgrade: { name: "Partial Upgrade Failure", recovery: "Roll back affected nodes, restore config" },
};

/** What a recovery may take and lose, with this stack's figures. */
export const recoveries = (settings: Settings) =>
  (Object.keys(RECOVERY) as Scenario[]).map((scenario) => ({
    scenario: RECOVERY[scenario].name,
    ...objectiveOf(settings, scenario),
    recovery: RECOVERY[scenario].recovery,
    responsible: "Infrastructure Team",
  }));

/** A control of procedure §5.2 with its counterparts of §5.3. */
export interface Control {
  readonly cis: string;
  readonly iso27001: string;
  readonly nist: string;
  readonly implementation: string;
}

export const CONTROLS = {
  inventory: {
    cis: "CIS.3.4",
    iso27001: "A.8.1.1",
    nist: "ID.AM-1",
    implementation: "Automated inventory and version tracking",
  },
  change: {
    cis: "CIS.4.3",
    iso27001: "A.12.1.2",
    nist: "PR.IP-3",
    implementation: "Controlled change management process",
  },
  backup: {
    cis: "CIS.10.2",
    iso27001: "A.12.3.1",
    nist: "PR.IP-4",
    implementation: "Backup and recovery testing",
  },
  baseline: {
    cis: "CIS.4.1",
    iso27001: "A.14.2.2",
    nist: "PR.IP-1",
    implementation: "Secure baseline configuration",
  },
  /** Of §5.1 alone: §5.2 and §5.3 leave it out. */
  access: {
    cis: "CIS.5.1",
    iso27001: "(§5.3 names none)",
    nist: "(§5.3 names none)",
    implementation: "Privileged access during maintenance",
  },
} as const satisfies Record<string, Control>;
