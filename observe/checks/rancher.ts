import { satisfies, validRange } from "semver";
import {
  judgeCompatibility,
  judgeRancherMove,
  kubernetesMinor,
  parseVersion,
  type Settings,
} from "../../config";
import { type Finding, must, should } from "../finding";
import type { Look } from "../look";
import { concernsRancher, type RancherFacts } from "../rancher";
import { type Question, unknown } from "../unmeasured";
import { SEE_API } from "./api";

/**
 * Whether Rancher may be moved to what is asked for, and exported before. Pure. The wanted Kubernetes is judged with the
 * other components (compatibility.ts); here the one that Rancher's chart will meet, which runs now.
 * @param chart the kubeVersion of the chart that it moves to; undefined where it does not move: then only its export, and
 *   whether it was left at rest, are asked about
 * @param moves whether its release is another one than what is asked for, so that helm starts it again
 */
export function judgeRancher(
  settings: Settings,
  seen: Look<RancherFacts>,
  chart: Look<string> | undefined,
  moves = false,
): Finding[] {
  if (!concernsRancher(settings)) return [];
  const { rancherVersion: version, rancher } = settings;
  const questions: Ask[] = [
    ...(version === undefined || !chart
      ? []
      : [moveTo(settings, version), goesWith(settings, version), clusters]),
    ...(rancher.backup.enabled ? [exportable] : []),
    // A way back puts it at rest itself.
    ...(version === undefined || rancher.restore ? [] : [atRest(moves)]),
  ];
  const admits = version === undefined || !chart ? [] : [judgeChart(settings, chart)];
  return [...questions.map((one) => asked(settings, seen, one)), ...admits];
}

/** Whether Rancher can be exported, where it is to be. Pure. */
export const judgeExport = (settings: Settings, seen: Look<RancherFacts>): Finding[] =>
  settings.rancher.backup.enabled ? [asked(settings, seen, exportable)] : [];

function asked(settings: Settings, seen: Look<RancherFacts>, { check, wanted, answer }: Ask): Finding {
  const question = { check, wanted: typeof wanted === "string" ? wanted : wanted(settings) };
  return "missing" in seen
    ? unknown(question, seen.missing, SEE_API)
    : { ...question, ...answer(settings, seen.value) };
}

/** What its chart says itself of the Kubernetes that runs, and of the one that comes after it. helm asks the first alone. */
function judgeChart({ acceptedVersion, rke2Version }: Settings, chart: Look<string>): Finding {
  const versions = [...new Set([acceptedVersion, rke2Version])];
  const question = { check: "rancher: its chart's kubeVersion", wanted: `admits ${versions.join(" and ")}` };
  if ("missing" in chart) {
    const next = "helm judges what runs, before it changes anything";
    return { ...question, found: `not read: ${chart.missing}`, verdict: "warn", next };
  }
  // helm's lists of conditions have commas.
  const range = validRange(chart.value.replaceAll(",", " "));
  const refused = versions.filter((one) => !range || !satisfies(one.replace(/\+.*/, ""), range));
  const next = `another rancherVersion: this one cannot be installed on ${refused.join(", ")}`;
  return {
    ...question,
    found: chart.value || "any",
    ...must(refused.length === 0 || chart.value === "", next),
  };
}

/** One check: what it asks, and how what was seen answers. */
interface Ask extends Pick<Question, "check"> {
  readonly wanted: string | ((settings: Settings) => string);
  answer(settings: Settings, facts: RancherFacts): Omit<Finding, "check" | "wanted">;
}

const moveTo = ({ rancher }: Settings, version: string): Ask => ({
  check: "rancher: version",
  wanted: `${version}; one minor at a time, down only with an export of it`,
  answer: (_, facts) => {
    if (!facts.version) return { found: "no Rancher has run here yet", verdict: "pass" };
    const { allowed, instead = "" } = judgeRancherMove(facts.version, version, rancher.restore);
    return { found: `${facts.version}, by its server's own word`, ...must(allowed, instead) };
  },
});

/** Nobody else asks this of a release that does not run yet. helm does, when its turn has come. */
function goesWith({ acceptedVersion, acknowledge }: Settings, version: string): Ask {
  const running = parseVersion(acceptedVersion);
  const kubernetes = running ? kubernetesMinor(running) : acceptedVersion;
  return {
    check: `rancher: ${version} on what runs now`,
    wanted: `known to go with ${kubernetes}`,
    answer: () => {
      const { verdict, pair, published } = judgeCompatibility("rancher", version, kubernetes);
      const acknowledged = verdict === "unknown" && acknowledge.includes(pair);
      const found = `on record: ${published}${acknowledged ? "; acknowledged" : ""}`;
      if (verdict === "incompatible")
        return { found, verdict: "fail", next: `its chart refuses ${kubernetes}: another rancherVersion` };
      const next = `read its support matrix and try it in the rehearsal, then: pulumi config set --path 'rke2-upgrade:acknowledge[${acknowledge.length}]' '${pair}'`;
      return { found, ...must(verdict === "compatible" || acknowledged, next) };
    },
  };
}

const clusters: Ask = {
  check: "rancher: its clusters",
  wanted: "each Active, its agent connected",
  answer: ({ rancher, rancherVersion }, facts) => {
    const away = facts.clusters.filter(({ there }) => !there);
    const unnamed = away.filter(({ name }) => !rancher.awayClusters.includes(name));
    const tell = away.map(({ name, called }) => `${name} (${called})`).join(", ");
    const found = away.length === 0 ? `all ${facts.clusters.length} are` : `not so: ${tell}`;
    const next = `mend it: afterwards it must be there as well. One that may be away: pulumi config set --path 'rke2-upgrade:rancher.awayClusters[${rancher.awayClusters.length}]' ${unnamed[0]?.name}`;
    // What lost its clusters may go back for that very reason, and go on where it has.
    const back = rancher.restore !== undefined || facts.version === `v${rancherVersion}`;
    return { found, ...(back ? should : must)(unnamed.length === 0, next) };
  },
};

/** The default of `replicas` in its chart's values.yaml. */
const CHART_REPLICAS = 3;

/** What a way back that was given up leaves behind: to Pulumi its release is as asked for. */
const atRest = (moves: boolean): Ask => ({
  check: "rancher: at rest",
  wanted: "its Deployment has replicas",
  answer: ({ rancher: { namespace, name, values } }, { replicas }) => {
    if (replicas === undefined) return { found: "no Deployment yet", verdict: "pass" };
    if (replicas > 0) return { found: `${replicas} replicas`, verdict: "pass" };
    const found = "Rancher is at 0 replicas";
    if (moves) return { found: `${found}; its release brings it up`, verdict: "pass" };
    const { replicas: asked } = values;
    const count = typeof asked === "number" && asked > 0 ? asked : CHART_REPLICAS;
    return {
      found,
      ...must(
        false,
        `a way back that was given up leaves it so: kubectl -n ${namespace} scale deployment ${name} --replicas=${count}`,
      ),
    };
  },
});

const exportable: Ask = {
  check: "rancher: export",
  wanted: ({ rancher }) =>
    `rancher-backup runs, has the ResourceSet ${rancher.backup.resourceSet} and keeps its files where they can be fetched`,
  answer: ({ rancher, nodes }, { version, resourceSets, backupPods, backupVolume }) => {
    const without = "rancher.backup.enabled: false does without";
    if (!version)
      return { found: "no Rancher has run here yet", ...should(false, "nothing is exported before") };
    if (!resourceSets) {
      return {
        found: "rancher-backup is not installed",
        ...must(false, `install its chart; ${without}`),
      };
    }
    const good = backupPods > 0 && resourceSets.includes(rancher.backup.resourceSet);
    const away = good && outOfReach(nodes, backupVolume);
    if (away) return { found: away.found, ...must(false, `${away.next}; ${without}`) };
    const next = `kubectl -n cattle-resources-system get pods; kubectl get resourcesets.resources.cattle.io, and name one in rancher.backup.resourceSet; ${without}`;
    return {
      found: `${backupPods} of its pods ready, ResourceSets: ${resourceSets.join(", ") || "none"}`,
      ...must(good, next),
    };
  },
};

/** Why what rancher-backup writes cannot be fetched, and what to do; nothing where it can. */
function outOfReach(
  nodes: Settings["nodes"],
  volume: RancherFacts["backupVolume"],
): { readonly found: string; readonly next: string } | undefined {
  if (!volume)
    return {
      found: "no running pod of rancher-backup has a persistent volume: its files go to S3, or nowhere",
      next: "they are fetched from a persistent volume only: set persistence.enabled, and not s3, in its chart's values",
    };
  if (!volume.isFolder)
    return {
      found: `rancher-backup's volume ${volume.name} is no folder of a node (no hostPath, local, CSI or NFS): its files cannot be fetched over SSH`,
      next: "give rancher-backup such a volume",
    };
  if (!nodes.some(({ name }) => name === volume.node))
    return {
      found: `rancher-backup's volume is on ${volume.node}, which is not in nodes`,
      next: "add it, or have rancher-backup's pod run on one that is",
    };
  return undefined;
}
