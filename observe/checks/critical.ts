import type { ClusterNode, Settings } from "../../config";
import { type Facts, fullName, inTurn } from "../facts";
import type { Finding } from "../finding";
import { unknown } from "../unmeasured";
import { API_SILENT, SEE_API } from "./api";

/**
 * Critical research workloads (procedure §3.1): a running pod that matches holds its node's turn, servers included.
 * @param node the node whose turn is to begin: then such a pod there refuses it; without one all are told, as warnings
 */
export function judgeCritical(settings: Settings, { cluster }: Facts, node?: ClusterNode): Finding[] {
  const { criticalWorkloads: selector, nodes } = settings;
  if (selector === undefined) return [];
  const question = {
    check: `${node ? `${node.name}: ` : "timing: "}critical workloads`,
    wanted: `no running pod with ${selector}`,
  };
  if ("missing" in cluster) return [unknown(question, API_SILENT, SEE_API)];
  const names = node ? [node.name] : nodes.map(({ name }) => name);
  const held = names
    .filter((name) => !inTurn(settings, cluster, name))
    .flatMap((name) => {
      const pods = cluster.value.critical
        .filter(({ spec, status }) => spec?.nodeName === name && status?.phase === "Running")
        .map(fullName);
      return pods.length > 0 ? [`${pods.join(", ")} on ${name}`] : [];
    });
  const finding = {
    ...question,
    found: held.length > 0 ? `running: ${held.join("; ")}` : "none runs",
  };
  if (held.length === 0) return [{ ...finding, verdict: "pass" }];
  const next = `kubectl get pods -A -l '${selector}' --field-selector status.phase=Running -o wide; wait for their end, or move them`;
  return node
    ? [{ ...finding, verdict: "fail", next: `${next}, then run pulumi up again` }]
    : [{ ...finding, verdict: "warn", next: `their nodes' turns are held while they run: ${next}` }];
}
