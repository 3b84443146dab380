import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { type Finding, must } from "../finding";

/** Whether the API server says that it is ready, and how fast. */
export const judgeApi = ({ limits }: Settings, { readyMs, askedOn }: ClusterFacts): Finding[] => [
  {
    check: "cluster: the API answers",
    found: `ready in ${readyMs} ms, asked on ${askedOn}`,
    wanted: `below ${limits.apiSlowMs} ms`,
    ...must(readyMs < limits.apiSlowMs, "find what loads the servers: kubectl top nodes, etcd's disk"),
  },
];

/** No server answered. */
export const apiNotMeasured = (reason: string): Finding => ({
  check: "cluster: the API answers",
  found: reason,
  wanted: "an answer",
  verdict: "not measured",
  next: "kubectl get --raw '/readyz?verbose' on a server",
});
