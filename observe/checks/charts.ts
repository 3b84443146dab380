import type { V1Job, V1Pod } from "@kubernetes/client-node";
import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { crashOf } from "../crashing";
import { nameOf } from "../facts";
import type { Finding } from "../finding";

/**
 * RKE2's own helm-install jobs. While the servers are of two versions they crash by design on a minor upgrade
 * (rancher/rke2#10441, #7642): then they are told, not judged; charts-settled.sh wants them complete before the agents.
 */
export function judgeCharts(settings: Settings, { systemJobs, nodes, pods }: ClusterFacts): Finding[] {
  const failing = systemJobs
    .filter((job) => nameOf(job).startsWith("helm-install-") && isFailing(job, pods))
    .map(nameOf);
  const servers = new Set(settings.servers.map(({ name }) => name));
  const versions = new Set(
    nodes.filter((node) => servers.has(nameOf(node))).map(({ status }) => status?.nodeInfo?.kubeletVersion),
  );
  const mixed = versions.size > 1;
  return [
    {
      check: "cluster: RKE2's charts installed",
      found: failing.length
        ? `failing: ${failing.join(", ")}${mixed ? " (harmless while the servers are of two versions)" : ""}`
        : `all ${systemJobs.filter((job) => nameOf(job).startsWith("helm-install-")).length}`,
      wanted: "no helm-install job that fails",
      ...(failing.length === 0 || mixed
        ? { verdict: "pass" }
        : { verdict: "fail", next: `kubectl -n kube-system logs job/${failing[0]}` }),
    },
  ];
}

/** The jobs restart their containers in place, a thousand times: what fails shows at the pod long before the job fails. */
function isFailing({ metadata, status }: V1Job, pods: readonly V1Pod[]): boolean {
  if (status?.succeeded) return false;
  const own = pods.filter((pod) => pod.metadata?.labels?.["batch.kubernetes.io/job-name"] === metadata?.name);
  return (
    (status?.failed ?? 0) > 0 ||
    status?.conditions?.some(({ type, status }) => type === "Failed" && status === "True") === true ||
    own.some((pod) => crashOf(pod) !== undefined)
  );
}
