/** Evidence from a stack's state and history. Pure; what is not named here never gets into a record. */
import type { Evidence, Resource, Run, Update } from "./evidenceSchema";
import type { Availability } from "./live/availability";
import { nameOf } from "./preview";
import { type ChangeInState, changeSchema, configured, type HistoryEntry, type StateResource } from "./state";
import { type TurnStep, turnSteps } from "./waveTurns";

/** Fields of dynamic resources that are evidence. A list of what is taken, never of what is left out. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  VmSnapshot: ["name", "vmId", "takenAt", "seconds", "crashConsistent", "upid"],
  RestoreTest: ["node", "result", "why", "seconds"],
  EtcdBackup: ["file", "sha256", "bytes", "takenAt", "server", "version"],
  RancherBackup: ["file", "restore", "sha256", "bytes", "takenAt", "node", "version"],
  Recovered: ["rtoSeconds", "rpoSeconds", "summary"],
  Release: ["wanted", "from"],
};

/** What is told of a Helm release; its values are not. */
const RELEASE = ["name", "namespace", "chart", "version", "appVersion", "revision", "status"];

/** Resources that ask, with what they found. */
const GATES: readonly string[] = ["TurnGate", "Preflight", "WaveEnd", "WaveTurn", "OperatorsGate"];

/** What evidence is made of. */
export interface Sources {
  readonly changeId: string;
  readonly stack: string;
  readonly resources: readonly StateResource[];
  readonly history: readonly HistoryEntry[];
  readonly runs: readonly Run[];
  /** What the watch of each run saw; plain `pulumi up` has none. */
  readonly availability?: readonly Availability[];
  readonly notifications?: Evidence["notifications"];
  readonly signOff?: Evidence["signOff"];
}

/** The evidence of one change. @throws where the stack holds another change, or none */
export function evidenceOf({
  changeId,
  stack,
  resources,
  history,
  runs,
  availability = [],
  notifications = [],
  signOff,
}: Sources): Evidence {
  const change = changeIn(resources);
  if (!change) throw new Error(`the stack ${stack} holds no change. next: adopt the cluster with pulumi up`);
  if (change.changeId !== changeId) {
    throw new Error(
      `the stack ${stack} is at change ${change.changeId}, not ${changeId}. next: report --verify shows what was kept of ${changeId}`,
    );
  }
  const ofChange = history.filter((entry) => configured(entry, "changeId") === changeId);
  const begun = [...ofChange.map(({ startTime }) => startTime), ...runs.map(({ startedAt }) => startedAt)];
  const ownRuns = [...runs].sort((a, b) => compare(a.startedAt, b.startedAt));
  const found = resources.flatMap((one) => resource(one, changeId, Math.min(...begun.map(Date.parse))));
  return {
    kind: "evidence",
    version: 1,
    changeId,
    stack,
    change: {
      wanted: change.wanted,
      accepted: change.accepted,
      from: change.from,
      mode: change.mode,
      attempt: change.attempt,
      goBack: change.goBack,
      round: change.round || undefined,
      acceptedRound: change.acceptedRound || undefined,
    },
    manifest: resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs.manifest ?? {},
    resources: byTime(found),
    updates: ofChange.map(updateOf).sort((a, b) => compare(a.startedAt, b.startedAt)),
    operators: operatorsIn(found),
    runs: ownRuns,
    availability: [...availability],
    notifications: notifications.length > 0 ? [...notifications] : undefined,
    // The one that let a run through: the config may state another since.
    signOff: ownRuns.flatMap((run) => run.signOff ?? []).at(-1) ?? signOff,
  };
}

/** The change's own resource. */
export function changeIn(resources: readonly StateResource[]): ChangeInState | undefined {
  const found = resources.find(({ type }) => type.endsWith("rke2:Change"));
  return found && changeSchema.parse(found.outputs);
}

/**
 * Evidence joined with what was kept before: acceptance takes the steps out of the state, and what they proved must not
 * go with them. What is in both is as it is now.
 */
export function joined(before: Evidence | undefined, now: Evidence): Evidence {
  if (!before) return now;
  const names = new Set(now.resources.map(({ name }) => name));
  const gone = before.resources
    .filter(({ name }) => !names.has(name))
    .map((one) => ({ ...one, inState: false }));
  const operators = [...before.operators, ...now.operators].map((one) => JSON.stringify(one));
  const updates = new Map([...before.updates, ...now.updates].map((one) => [one.startedAt, one]));
  return {
    ...now,
    resources: byTime([...gone, ...now.resources]),
    updates: [...updates.values()].sort((a, b) => compare(a.startedAt, b.startedAt)),
    // Taken out of the config for the next change, it was given all the same.
    signOff: now.signOff ?? before.signOff,
    operators: [...new Set(operators)].map((text) => JSON.parse(text)).sort((a, b) => compare(a.at, b.at)),
  };
}

/** @param begun when the change's first run did, milliseconds */
function resource(one: StateResource, changeId: string, begun: number): Resource[] {
  const { urn, type, created, modified, outputs } = one;
  const name = nameOf(urn);
  const base = { name, created, modified, inState: true };
  if (type === "command:remote:Command") {
    const [, owner, attempt] = / # (\S+) attempt (\d+)$/.exec(textOf(outputs.create)) ?? [];
    if (owner !== changeId) return [];
    return [
      { ...base, kind: "Command", attempt: Number(attempt), result: lastObject(textOf(outputs.stdout)) },
    ];
  }
  if (type === "pulumi-nodejs:dynamic/rke2:Reboot") return rebooted(one, base, changeId);
  const turn = turnSteps(one).map((step) => ofTurn(step, base, numberOf(outputs.attempt)));
  const kind = /^pulumi-nodejs:dynamic\/rke2:(\w+)$/.exec(type)?.[1];
  if (kind && GATES.includes(kind)) {
    if (outputs.changeId !== changeId) return [];
    const found = Array.isArray(outputs.found) ? outputs.found.map(String) : undefined;
    const gate = { found, askedAt: textOf(outputs.askedAt), askedBy: textOf(outputs.askedBy) || undefined };
    const asked = {
      ...base,
      kind,
      attempt: numberOf(outputs.attempt),
      ...gate,
      result: costOf(outputs.cost),
    };
    if (kind !== "WaveTurn") return [asked];
    // Its gate ended when it was asked; the resource itself only with the turn.
    const opening = {
      ...asked,
      kind: "TurnGate",
      name: `${outputs.node}-turn-gate`,
      modified: gate.askedAt || modified,
    };
    return [...(found ? [opening] : []), ...turn];
  }
  if (kind && FIELDS[kind]) {
    const owner =
      outputs.changeId ??
      outputs.movedUnder ??
      (textOf(outputs.name).endsWith(`-${changeId}`) ? changeId : "");
    if (owner !== changeId || isNone(kind, outputs)) return [];
    return [{ ...base, kind, attempt: numberOf(outputs.attempt), result: chosen(outputs, FIELDS[kind]) }];
  }
  if (type.startsWith("kubernetes:core/v1:ConfigMap"))
    return recordOf(outputs.data).changeId === changeId ? [{ ...base, kind: "ConfigMap" }] : [];
  // These bear no change's name: what was there before its first run is another's.
  if (!(Date.parse(modified ?? "") >= begun)) return [];
  if (type === "kubernetes:helm.sh/v3:Release")
    return [{ ...base, kind: "HelmRelease", result: chosen(recordOf(outputs.status), RELEASE) }];
  if (type.startsWith("kubernetes:batch")) return [{ ...base, kind: "Job" }];
  return [];
}

/** What a change that goes back before it was taken has in its place. */
const isNone = (kind: string, { takenAt, file }: StateResource["outputs"]): boolean =>
  (kind === "VmSnapshot" && !takenAt) || (kind === "EtcdBackup" && !file);

/** The step that reboots a node, as the Command that it would be, did its connection not die with the node. */
function rebooted({ outputs }: StateResource, base: Omit<Resource, "kind">, changeId: string): Resource[] {
  if (outputs.changeId !== changeId) return [];
  const result = lastObject(textOf(outputs.stdout));
  return [{ ...base, kind: "Command", attempt: numberOf(outputs.attempt), result }];
}

/** A step of a wave's turn, as a Command of its own would stand here: ended when its own word says. */
function ofTurn(
  { name, said }: TurnStep,
  base: Omit<Resource, "kind">,
  attempt: number | undefined,
): Resource {
  const result = lastObject(said);
  const ended = new Date(String(result?.startedAt)).getTime() + Number(result?.seconds) * 1000;
  const modified = Number.isNaN(ended) ? base.modified : new Date(ended).toISOString();
  return { ...base, name, kind: "Command", attempt, modified, result };
}

/** The flat JSON object that a step prints last; undefined where it printed none. */
export function lastObject(stdout: string): Resource["result"] {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? chosen(value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Texts, numbers and truth values among the named fields; all of them where none are named. */
function chosen(
  values: Record<string, unknown>,
  fields: readonly string[] = Object.keys(values),
): Resource["result"] {
  const plain = fields.flatMap((field): [string, string | number | boolean][] => {
    const value = values[field];
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      ? [[field, value]]
      : [];
  });
  return Object.fromEntries(plain);
}

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

const costOf = (cost: unknown): Resource["result"] =>
  typeof cost === "object" && cost !== null ? chosen(cost as Record<string, unknown>) : undefined;

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** What is kept of an update. */
export function updateOf(entry: HistoryEntry): Update {
  const { kind, startTime, endTime, result, resourceChanges, environment } = entry;
  const goBack = configured(entry, "goBack");
  return {
    startedAt: startTime,
    endedAt: endTime,
    kind,
    result,
    changes: resourceChanges,
    wanted: configured(entry, "rke2Version"),
    accepted: configured(entry, "acceptedVersion"),
    goBack: goBack === "{}" ? "" : goBack,
    round: roundIn(entry),
    enforcedPlan: environment.updatePlan === "true",
    program: environment["git.head"]
      ? `${environment["git.head"]}${environment["git.dirty"] === "true" ? ", with uncommitted files" : ""}`
      : "not measured",
    pulumi: environment["pulumi.version"] ?? "not measured",
  };
}

/** The round of OS patches that was under way in an update. */
function roundIn(entry: HistoryEntry): string | undefined {
  const { round, acceptedRound } = JSON.parse(configured(entry, "osPatch") || "{}") as Record<
    string,
    unknown
  >;
  return typeof round === "string" && round !== acceptedRound ? round : undefined;
}

const operatorsIn = (resources: readonly Resource[]): Evidence["operators"] =>
  resources
    .flatMap(({ kind, askedAt, askedBy }) =>
      kind === "Preflight" && askedAt && askedBy ? [{ at: askedAt, by: askedBy }] : [],
    )
    .sort((a, b) => compare(a.at, b.at));

const byTime = (resources: readonly Resource[]): Resource[] =>
  [...resources].sort((a, b) => compare(a.modified ?? "", b.modified ?? "") || compare(a.name, b.name));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
