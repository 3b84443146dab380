import {
  describeWindow,
  nextAfter,
  type Operator,
  type OperatorSeen,
  openAt,
  type Settings,
  utc,
} from "../../config";
import type { Finding } from "../finding";
import { must } from "../finding";
import type { Look } from "../look";
import { type ReleaseFacts, type Releases, releaseId } from "../releases";
import { unknown } from "../unmeasured";
import { SEE_API } from "./api";

/** What is known of the operators beside their releases. */
interface Known {
  /** Names of those that this stack's state holds; undefined where nobody knows. */
  readonly held?: ReadonlySet<string>;
  /** Names of those that were as asked for, and that somebody has moved since. */
  readonly movedByHand?: ReadonlySet<string>;
  /** Whether a node's turn has begun and not ended: that one is finished before all else. */
  readonly inTurn?: boolean;
}

/** What there is of each operator's release against what is asked for: from → to. Pure. */
export const judgeReleases = (
  { operators }: Pick<Settings, "operators">,
  releases: Look<Releases>,
  known: Known = {},
): Finding[] =>
  operators.map((operator) => {
    const place = operator.when === "before" ? "before the first server" : "after the last agent";
    const question = { check: `operator: ${operator.name}`, wanted: `${operator.version}, ${place}` };
    // What comes after the nodes, and what the run does not touch, does not keep one from its turn's end.
    const waits = known.inTurn && (operator.when === "after" || known.movedByHand?.has(operator.name));
    const eased = (finding: Finding): Finding =>
      waits && finding.verdict !== "pass"
        ? { ...finding, verdict: "warn", next: `once the node in its turn is finished: ${finding.next}` }
        : finding;
    if ("missing" in releases) return eased(unknown(question, releases.missing, SEE_API));
    const live = releases.value.get(releaseId(operator));
    const found = live ? describe(live) : `no release ${releaseId(operator)}`;
    return eased({ ...question, found, ...verdict(operator, live, known) });
  });

const describe = ({ chart, version, status, revision }: ReleaseFacts): string =>
  `${version} of ${chart}, ${status}, revision ${revision}`;

function verdict(
  { name, namespace, adopt, version, rancher }: Operator,
  live: ReleaseFacts | undefined,
  { held, movedByHand }: Known,
): Pick<Finding, "verdict" | "next"> {
  if (!live) return must(!adopt, "there is nothing to adopt: take adopt out, and it is installed");
  if (live.helmChart !== undefined) {
    return must(
      false,
      `RKE2's helm-controller installs it from the HelmChart ${live.helmChart}, and would again over what Pulumi does: ${rancher ? "unset rancherVersion" : "take it out of operators"}. Its values go into a HelmChartConfig of that name and namespace; its version comes with RKE2, or with the HelmChart's own manifest`,
    );
  }
  if (live.status.startsWith("pending-") || live.status === "uninstalling") {
    return must(
      false,
      `helm is at work on it, or was killed at it. If nothing runs: ${letGo(live.status, name, namespace)}, then pulumi up`,
    );
  }
  if (movedByHand?.has(name)) {
    return must(
      false,
      `it was moved by hand, which Pulumi does not see. For ${version}: helm -n ${namespace} history ${name}, then helm -n ${namespace} rollback ${name} REVISION to one with that chart; to stay: set ${rancher ? "rancherVersion" : "its version"} to ${live.version}`,
    );
  }
  return must(
    adopt || held === undefined || held.has(name),
    `it was installed by somebody else, or left by a way back: to take it over, set ${rancher ? "rancher.adopt" : "adopt"}: true (docs/operators.md)`,
  );
}

/** What frees a release that helm was killed at. A first install and an uninstall have no revision to roll back to. */
function letGo(status: string, name: string, namespace: string): string {
  const helm = (command: string) => `helm -n ${namespace} ${command} ${name}`;
  switch (status) {
    case "pending-install":
      return helm("uninstall");
    case "uninstalling":
      return `${helm("uninstall")}, pulumi refresh --target '**operator-${name}-release' (else the state believes that it is there)`;
    default:
      return helm("rollback");
  }
}

/** Whether a release is of that version, with its `v` or without. */
export const isVersion = (live: Pick<ReleaseFacts, "version">, version: string): boolean =>
  live.version.replace(/^v/, "") === version.replace(/^v/, "");

/** The operators whose release is not there, not well, or of another version than is asked for. Pure. */
export const toBeMoved = ({ operators }: Pick<Settings, "operators">, releases: Releases): Operator[] =>
  operators.filter((operator) => {
    const live = releases.get(releaseId(operator));
    return live?.status !== "deployed" || !isVersion(live, operator.version);
  });

/** Every operator as it was found; where nobody could look, each may move. Pure. */
export function operatorsSeen(
  settings: Pick<Settings, "operators">,
  releases: Look<Releases>,
): OperatorSeen[] {
  const found = "value" in releases ? releases.value : undefined;
  const toMove = found ? toBeMoved(settings, found) : settings.operators;
  return settings.operators.map((operator) => {
    const live = found?.get(releaseId(operator));
    const version = live?.deployed?.version ?? live?.version;
    return {
      name: operator.name,
      ...(version !== undefined && { version }),
      moves: toMove.includes(operator),
    };
  });
}

/** Whether a maintenance window is open for what moves (procedure §3.1). Pure. */
export function judgeOperatorsWindow(
  { windows, windowOverride, changeId }: Settings,
  moved: readonly string[],
  at: Date,
): Finding[] {
  if (moved.length === 0) return [];
  const [open, next] = [openAt(windows, at), nextAfter(windows, at)];
  const overridden = windowOverride === changeId;
  return [
    {
      check: "operators: maintenance window",
      found: open
        ? `open until ${utc(open.end)}, now ${utc(at)}, for ${moved.join(", ")}`
        : `closed now, ${utc(at)}${next ? `; the next opens ${utc(next.start)}` : ""}`,
      wanted: windows.map(describeWindow).join("; "),
      ...(overridden && !open
        ? { verdict: "warn", next: `allowed: windowOverride names ${changeId}` }
        : must(
            open !== undefined,
            `run pulumi up in a window; to leave it once, by name: pulumi config set 'rke2-upgrade:windowOverride' ${changeId}`,
          )),
    },
  ];
}
