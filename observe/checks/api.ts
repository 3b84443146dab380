import type { Settings } from "../../config";
import { type Facts, inTurn } from "../facts";
import type { Finding } from "../finding";
import { ROWS } from "../rows";

/**
 * Whether every API server says that it is ready, and how fast (procedure §4.1: below 500 ms, concerning from 2 s on):
 * clients and load balancers reach any of them. A server in its turn need not; one that could not be looked at is
 * told by its own checks.
 */
export function judgeApi(settings: Settings, { cluster, nodes }: Facts): Finding[] {
  const { apiExpectedMs, apiSlowMs } = settings.limits;
  const asked = settings.servers.flatMap(({ name }) => {
    const seen = nodes.get(name);
    return seen && "value" in seen && seen.value.server && !inTurn(settings, cluster, name)
      ? [{ name, ready: seen.value.server.ready }]
      : [];
  });
  const question = { check: "cluster: the API answers", wanted: `below ${apiExpectedMs} ms on each server` };
  if (asked.length === 0) {
    // The cluster was asked all the same: on a server that is in its turn, or that told nothing of itself.
    return [{ ...question, found: "ready, on a server whose turn it is", verdict: "pass" }];
  }
  const slow = (fromMs: number) =>
    asked.filter(({ ready }) => "missing" in ready || ready.value >= fromMs).map(({ name }) => name);
  const [concerning] = slow(apiSlowMs);
  const [unexpected] = slow(apiExpectedMs);
  const found = asked
    .map(({ name, ready }) =>
      "value" in ready
        ? `ready in ${ready.value} ms on ${name}`
        : `does not answer ready on ${name} (${ready.missing})`,
    )
    .join(", ");
  if (!unexpected) return [{ ...question, found, verdict: "pass" }];
  const next = `find what loads ${concerning ?? unexpected}: kubectl top nodes, etcd's disk; journalctl -u rke2-server on it. ${ROWS.controlPlane}`;
  return [{ ...question, found, verdict: concerning ? "fail" : "warn", momentary: true, next }];
}

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
