import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import type { Finding } from "../finding";
import { ROWS } from "../rows";

/** Whether the API server says that it is ready, and how fast (procedure §4.1: below 500 ms, concerning from 2 s on). */
export const judgeApi = ({ limits }: Settings, { readyMs, askedOn }: ClusterFacts): Finding[] => [
  {
    check: "cluster: the API answers",
    found: `ready in ${readyMs} ms, asked on ${askedOn}`,
    wanted: `below ${limits.apiExpectedMs} ms`,
    ...(readyMs < limits.apiExpectedMs
      ? { verdict: "pass" }
      : {
          verdict: readyMs < limits.apiSlowMs ? "warn" : "fail",
          momentary: true,
          next: `find what loads ${askedOn}: kubectl top nodes, etcd's disk; journalctl -u rke2-server on it. ${ROWS.controlPlane}`,
        }),
  },
];

/** Why what only the API tells is not known, and where to look on. */
export const API_SILENT = 'the API did not answer: see "cluster: the API answers"';
export const SEE_API =
  "bring the API back first (kubectl get --raw '/readyz?verbose' on a server), then look again";

/** No server answered. */
export const apiNotMeasured = (reason: string): Finding => ({
  check: "cluster: the API answers",
  found: reason,
  wanted: "an answer",
  verdict: "not measured",
  next: `kubectl get --raw '/readyz?verbose' on a server. §4.2 "Control plane pod failures": kubectl logs -n kube-system, or crictl ps -a there`,
});
