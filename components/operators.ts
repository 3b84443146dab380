import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Operator, Secrets } from "../config";
import { apiOf } from "./kubeconfig";
import { digestOf, OperatorsGate } from "./operatorsGate";
import { OperatorsLock } from "./operatorsLock";
import { OperatorsMemory } from "./operatorsMemory";
import { RancherBackup } from "./rancherBackup";
import { type Link, type Run, step } from "./step";
import { afterRelease, beforeRelease, type PlannedStep } from "./turns";

/** Continues a chain: takes its tail, and returns the tail with what was laid out after it. */
type Continue = (after: pulumi.Resource) => pulumi.Resource;

/** What the stack's state knows of its operators, in a preview too. */
export interface OperatorsInState {
  /** As {@link OperatorsGate} has it. */
  readonly held: pulumi.Output<string>;
  readonly known: OperatorsMemory["known"];
}

/** Where operators stand in the order. */
export interface Operators {
  /** What comes after their questions. */
  readonly gate: pulumi.Resource;
  /** Undefined where there are no operators. */
  readonly inState?: OperatorsInState;
  /** Those that go before the first server. */
  readonly before: Continue;
  /** Those that go after the last agent. */
  readonly after: Continue;
  /** Lets go of what their gate took with no change under way. */
  readonly letGo: Continue;
}

/**
 * The operators: all their questions at once, then each in its place, one after another; Rancher's export before all of
 * them. Where there are none, nothing stands in the graph.
 * @param asked what their questions come after
 */
export function layOutOperators(run: Run, secrets: Secrets, asked: pulumi.Resource): Operators {
  const { operators, rke2Version: wanted, acceptedVersion: accepted, changeId } = run.settings;
  const nothing: Continue = (after) => after;
  const exported = run.settings.rancher.backup.enabled ? exportRancher(run) : nothing;
  if (operators.length === 0) return { gate: asked, before: exported, after: nothing, letGo: nothing };
  const { attempt, owner } = run.change;
  const names = operators.map(({ name }) => name).join(" ");
  const gate = new OperatorsGate(
    "operators-gate",
    { operators: names, digest: digestOf(operators), wanted, accepted, changeId, attempt, owner },
    { dependsOn: [asked] },
  );
  const { letThrough } = gate;
  const { known } = new OperatorsMemory("operators-memory", { letThrough }, { dependsOn: [gate] });
  // Of its own and the same for all: a release whose provider changes may be made anew.
  const cluster = apiOf(run, secrets, gate, "cluster-operators");
  const at =
    (when: Operator["when"]): Continue =>
    (after) =>
      operators
        .filter((operator) => operator.when === when)
        .reduce((tail, operator) => new OperatorRelease({ run, after: tail, cluster, operator }).tail, after);
  const inState = { held: gate.held, known };
  return {
    gate,
    inState,
    before: (after) => at("before")(exported(after)),
    after: at("after"),
    letGo: (after) =>
      new OperatorsLock("operators-lock", { askedAt: gate.askedAt, owner }, { dependsOn: [after] }),
  };
}

/** Rancher's configuration out of the cluster, as it is before the change (procedure §6.1). */
const exportRancher =
  ({ settings: { changeId, rke2Version: wanted, rancherVersion = "" } }: Run): Continue =>
  (after) =>
    new RancherBackup(
      "rancher-backup",
      { changeId, wanted, rancherVersion },
      { dependsOn: [after], retainOnDelete: true },
    );

/** Arguments of {@link OperatorRelease}. */
interface OperatorReleaseArgs {
  readonly run: Run;
  readonly after: pulumi.Resource;
  readonly cluster: k8s.Provider;
  readonly operator: Operator;
}

/** One operator: its release as helm would install or upgrade it, then the proofs that it is well. */
class OperatorRelease extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;

  constructor({ run, after, cluster, operator }: OperatorReleaseArgs) {
    const { name, namespace, chart, repo, version, values, adopt, timeoutSeconds } = operator;
    super("rke2:components:Operator", `operator-${name}`, {});
    const then = (after: pulumi.Resource, planned: PlannedStep, proves?: string) =>
      step(run, { parent: this, after, proves }, planned.id, planned);
    const release = new k8s.helm.v3.Release(
      `operator-${name}-release`,
      {
        name,
        namespace,
        chart,
        version,
        timeout: timeoutSeconds,
        // What is not asked for stays out: what differs from the release that is adopted has helm upgrade it.
        ...(repo !== undefined && { repositoryOpts: { repo } }),
        ...(Object.keys(values).length > 0 && { values }),
        ...(!adopt && { createNamespace: true }),
      },
      {
        parent: this,
        provider: cluster,
        dependsOn: [
          beforeRelease(run.settings, operator).reduce((tail, planned) => then(tail, planned), after),
        ],
        // Not destroy, not a way back, not a list that lost a line takes an operator out of the cluster.
        retainOnDelete: true,
        // The engine imports it, then brings it to what is asked for. In the state it is no import any more: adopt may stay.
        ...(adopt && { import: `${namespace}/${name}` }),
      },
    );
    // Values alone are no argument of a proof.
    const asked = digestOf([operator]);
    this.tail = afterRelease(run.settings, operator).reduce<pulumi.Resource>(
      (tail, planned) => then(tail, planned, asked),
      release,
    );
    this.registerOutputs({});
  }
}
