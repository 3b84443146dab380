/** How long a plan should take: from what this cluster's own earlier runs took, else from config. Pure. */
import type { Step } from "./plan";
import type { Settings } from "./settings";
import { wavesOf } from "./waves";

/** A step that ended well on this cluster, as its node wrote it down (scripts/envelope.sh). */
export interface Measured {
  /** The step's script, as `install-release`. */
  readonly step: string;
  readonly node: string;
  readonly seconds: number;
}

/** Names of steps without their node → the key of `durations` that says how long they take unmeasured. */
const KEYS: Readonly<Record<string, keyof Settings["durations"]>> = {
  "fetch-artifacts": "fetchSeconds",
  "vm-snapshot": "snapshotSeconds",
  "etcd-backup": "etcdSnapshotSeconds",
  "restore-test": "restoreTestSeconds",
  install: "installSeconds",
  restart: "restartSeconds",
  "check-health": "verifySeconds",
  "verify-node": "verifySeconds",
  "verify-cluster": "verifySeconds",
  verify: "verifySeconds",
  "charts-settled": "settleSeconds",
  validate: "validateSeconds",
  "smoke-test": "validateSeconds",
  "gpu-after": "verifySeconds",
  "scan-before": "verifySeconds",
  "scan-turn": "verifySeconds",
  "scan-after": "verifySeconds",
  "scan-accept": "verifySeconds",
  patch: "patchSeconds",
  reboot: "rebootSeconds",
  "back-install": "installSeconds",
  "back-reset": "restartSeconds",
  "back-start": "restartSeconds",
  "place-snapshot": "etcdSnapshotSeconds",
  "vm-rollback": "snapshotSeconds",
  "verify-back": "verifySeconds",
};

/** Steps whose script bears another name than they do. */
const SCRIPTS: Readonly<Record<string, string>> = {
  install: "install-release",
  verify: "verify-node",
  "scan-before": "scan",
  "scan-turn": "scan",
  "scan-after": "scan",
  "scan-accept": "scan",
};

/** A step's name without its node. */
const kindOf = ({ id, node }: Step): string => (node ? id.slice(node.length + 1) : id);

const scriptOf = (step: Step): string => SCRIPTS[kindOf(step)] ?? kindOf(step);

/** The plan with `expectedSeconds` and where it is from in every step. Without measurements it is a function of the config alone. */
export const withExpectations = <S extends Step>(
  plan: readonly S[],
  settings: Settings,
  measured: readonly Measured[] = [],
): S[] => plan.map((step) => ({ ...step, ...expected(step, settings, measured) }));

/**
 * The slowest that the node's own records know of the step, else of the same step on nodes of its role: a run that
 * found its work done took no time, and a forecast had better be too long. A node with a GPU is compared with none
 * other, since its limits differ. Rounded up: what a step costs on its way to the node, no node measures. Never more than
 * the step is allowed to take.
 */
function expected(
  step: Step,
  settings: Settings,
  measured: readonly Measured[],
): Required<Pick<Step, "expectedSeconds" | "expectedFrom">> {
  const records = measured.filter((record) => record.step === scriptOf(step));
  const own = records.filter((record) => record.node === step.node);
  const peers = records.filter((record) => isPeer(settings, step.node, record.node));
  const seconds = [own, peers]
    .map((found) => Math.max(0, ...found.map((record) => record.seconds)))
    .find((slowest) => slowest >= 1);
  return {
    expectedSeconds: Math.min(Math.ceil(seconds ?? unmeasured(step, settings)), step.boundSeconds),
    expectedFrom: seconds === undefined ? "config" : "measured",
  };
}

function isPeer({ nodes }: Settings, name: string | undefined, other: string): boolean {
  const [a, b] = [name, other].map((wanted) => nodes.find((node) => node.name === wanted));
  if (name === undefined) return true;
  return a !== undefined && b !== undefined && a.role === b.role && !a.gpu && !b.gpu;
}

function unmeasured(step: Step, { durations, drain, limits, nodes, restoreTest, waves }: Settings): number {
  const kind = kindOf(step);
  if (kind === "restore-test" && !restoreTest.enabled) return durations.gateSeconds;
  if (kind === "canary-soak") return durations.gateSeconds + waves.canarySoakSeconds;
  const { role, gpu } = nodes.find(({ name }) => name === step.node) ?? {};
  if (step.phase.startsWith("operators-"))
    return durations[kind.endsWith("-release") ? "settleSeconds" : "verifySeconds"];
  if (kind === "drain") return gpu ? drain.gpuTimeoutSeconds : drain.timeoutSeconds;
  if (kind === "back-drain") return drain.graceSeconds;
  const seconds = durations[KEYS[kind] ?? "gateSeconds"];
  if (kind !== "verify-cluster") return seconds;
  return seconds + (role === "server" ? limits.soakServerSeconds : limits.soakAgentSeconds);
}

/**
 * Seconds of steps one after the other; those of one `together` count as one, the longest. A wave takes as long as the
 * slowest of its nodes, and then its own steps.
 */
export function totalSeconds(steps: readonly Step[]): number {
  const groups = new Map<string, number>();
  const waves = new Map<number, Map<string, number>>();
  for (const { id, phase, together, wave, node, expectedSeconds = 0 } of steps) {
    if (wave !== undefined && node !== undefined) {
      const turns = waves.get(wave) ?? new Map<string, number>();
      waves.set(wave, turns.set(node, (turns.get(node) ?? 0) + expectedSeconds));
      continue;
    }
    const group = together ? `${phase}/${together}` : id;
    groups.set(group, Math.max(groups.get(group) ?? 0, expectedSeconds));
  }
  const slowest = [...waves.values()].map((turns) => Math.max(...turns.values()));
  return [...groups.values(), ...slowest].reduce((sum, seconds) => sum + seconds, 0);
}

/** What is still to be done of a plan, in seconds, as the policy of windows needs it. */
export interface Estimate {
  /** Until the first node's turn: questions, artifacts, the way back. */
  readonly beforeSeconds: number;
  /** Each server that is not done, in order. */
  readonly servers: readonly Turn[];
  /** Between the last server and the first agent; zero where no server is left. */
  readonly settleSeconds: number;
  /** Each agent that is not done. */
  readonly agents: readonly Turn[];
  /** The waves in which they go, in order; what is done of one is left out. */
  readonly waves: readonly WaveTurns[];
  readonly afterSeconds: number;
  /** All servers back on the accepted version (procedure §6.2). */
  readonly goBackSeconds: number;
  /** How many steps are expected to take what was measured here, of how many. */
  readonly measuredSteps: number;
  readonly steps: number;
}

/** One node's turn. */
export interface Turn {
  readonly node: string;
  readonly seconds: number;
}

/** The turns of a wave, and what comes after them. */
export interface WaveTurns {
  readonly nodes: readonly string[];
  readonly seconds: number;
}

const BEFORE = ["change", "preflight", "artifacts", "way-back", "operators-before"];

/**
 * Sums up a plan.
 * @param done nodes whose turn is over
 */
export function estimate(
  plan: readonly Step[],
  settings: Settings,
  measured: readonly Measured[],
  done: ReadonlySet<string>,
): Estimate {
  const steps = withExpectations(plan, settings, measured);
  const sum = (...phases: string[]) => totalSeconds(steps.filter(({ phase }) => phases.includes(phase)));
  const turns = (phase: string, nodes: readonly { name: string }[]) =>
    nodes
      .filter(({ name }) => !done.has(name))
      .map(({ name }) => ({
        node: name,
        seconds: totalSeconds(steps.filter((step) => step.phase === phase && step.node === name)),
      }));
  const servers = turns("servers", settings.servers);
  const waves = wavesOf(settings).flatMap(({ number, nodes }): WaveTurns[] => {
    const left = nodes.flatMap(({ name }) => (done.has(name) ? [] : [name]));
    const own = steps.filter(
      ({ phase, node, wave }) =>
        phase === "agents" && (node === undefined ? wave === number : left.includes(node)),
    );
    return left.length === 0 ? [] : [{ nodes: left, seconds: totalSeconds(own) }];
  });
  return {
    // The way back of a change that has touched a node is there already.
    beforeSeconds: done.size === 0 ? sum(...BEFORE) : sum("change", "preflight"),
    servers,
    settleSeconds: servers.length > 0 ? sum("settle") : 0,
    agents: turns("agents", settings.agents),
    waves,
    afterSeconds: sum("operators-after", "validation", "record"),
    goBackSeconds: settings.durations.goBackServersSeconds,
    measuredSteps: steps.filter(({ expectedFrom }) => expectedFrom === "measured").length,
    steps: steps.length,
  };
}
