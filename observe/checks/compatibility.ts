import {
  COMPONENTS,
  type Component,
  judgeCompatibility,
  kubernetesMinor,
  minorOf,
  parseVersion,
  type Settings,
} from "../../config";
import type { Facts } from "../facts";
import type { Finding } from "../finding";
import { type Installed, installed } from "../installed";
import { ROWS } from "../rows";
import { unmeasured } from "../unmeasured";
import { API_SILENT, SEE_API } from "./api";
import { isVersion } from "./operators";

/**
 * Whether what runs in the cluster, and what an operator makes of it, goes with the Kubernetes minors that it meets
 * (procedure §3.1, §3.2). Where the minor stays, a pair that nobody has published is what the cluster lives with already:
 * told, not refused.
 */
export function judgeComponents(settings: Settings, { cluster }: Facts): Finding[] {
  const [from, to] = [parseVersion(settings.acceptedVersion), parseVersion(settings.rke2Version)];
  if (!from || !to) return [];
  const minors = { running: kubernetesMinor(from), target: kubernetesMinor(to) };
  if ("missing" in cluster) {
    // Nobody knows which of them there are.
    const wanted = `known to go with ${minors.target}`;
    const questions = COMPONENTS.map((component) => ({ check: `compatibility: ${component}`, wanted }));
    return unmeasured(questions, API_SILENT, SEE_API);
  }
  return installed(cluster.value.pods).flatMap((one) =>
    meetings(settings, one, minors).map((meeting) => judgeOne(settings, one, meeting, minors)),
  );
}

/** The minor that runs and the one that is wanted. */
interface Minors {
  readonly running: string;
  readonly target: string;
}

/** A release of a component that will meet a Kubernetes minor. */
interface Meeting {
  readonly version?: string;
  readonly kubernetes: string;
  /** Whether an operator brings it: another one than runs. */
  readonly moves: boolean;
}

/** What goes before Kubernetes is installed on the one that runs; what goes after has its older release live on the new one. */
function meetings(settings: Settings, one: Installed, { running, target }: Minors): Meeting[] {
  const live = { version: one.version, kubernetes: target, moves: false };
  const { version, when } = becomes(settings, one) ?? {};
  if (version === undefined || isVersion({ version: one.version ?? "" }, version)) return [live];
  const moved = { version, kubernetes: target, moves: true };
  const older = one.version !== undefined && minorOf(one.version) === minorOf(version);
  if (when === "after") return older ? [live] : [live, moved];
  // Rancher's own checks ask the rest (rancher.ts).
  return older || running === target || one.component === "rancher"
    ? [moved]
    : [{ ...moved, kubernetes: running }, moved];
}

/** Components whose chart has their own version; the charts of Traefik and ingress-nginx count by themselves. */
const CHART_TELLS: readonly Component[] = ["gpu-operator", "cert-manager"];

/** What an operator makes of a component, and when. */
function becomes(
  { operators }: Settings,
  { component, namespace }: Installed,
): Pick<Settings["operators"][number], "version" | "when"> | undefined {
  const named = new RegExp(`^${component}(-v?\\d.*)?$`);
  return operators.find((operator) =>
    operator.rancher
      ? component === "rancher"
      : CHART_TELLS.includes(component) &&
        operator.namespace === namespace &&
        [operator.name, operator.chart].some((text) => named.test(text.split("/").at(-1) ?? "")),
  );
}

function judgeOne(
  { acknowledge }: Settings,
  { component, namespace, version: live }: Installed,
  { version, kubernetes, moves }: Meeting,
  { running, target }: Minors,
): Finding {
  const { verdict, pair, published } = judgeCompatibility(component, version, kubernetes);
  const acknowledged = acknowledge.includes(pair);
  const finding = {
    check: `compatibility: ${component}${kubernetes === target ? "" : " on what runs now"}`,
    found: `${moves ? `${live ?? "unknown"} → ` : ""}${version ?? "a version that neither image nor label tells"} in ${namespace}; on record: ${published}${acknowledged && verdict === "unknown" ? "; acknowledged" : ""}`,
    wanted: `known to go with ${kubernetes}`,
  };
  if (verdict === "compatible") return { ...finding, verdict: "pass" };
  // What the cluster lives with already stops nothing.
  const stops = running !== target || moves;
  // The GPU operator's own upgrade comes after the cluster's.
  const row = component === "gpu-operator" ? `${ROWS.gpu}. ` : "";
  if (verdict === "incompatible") {
    return { ...finding, verdict: stops ? "fail" : "warn", next: instead() };
  }
  const next = acknowledged
    ? `${row}Watch it after the upgrade: ${pair} was acknowledged`
    : `${row}Read its makers' notes and try it in the rehearsal, then: pulumi config set --path 'rke2-upgrade:acknowledge[${acknowledge.length}]' '${pair}'`;
  return { ...finding, verdict: stops && !acknowledged ? "fail" : "warn", next };

  function instead(): string {
    if (moves) return `ask for a release of ${component} that goes with ${kubernetes}`;
    return row
      ? `${row}Before it, have a release of it that goes with ${running} and ${kubernetes} both`
      : `upgrade ${component} first, to a release that goes with ${kubernetes}`;
  }
}
