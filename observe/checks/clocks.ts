import type { Settings } from "../../config";
import type { Facts } from "../facts";
import { type Finding, must } from "../finding";
import { unknown } from "../unmeasured";

/**
 * Clocks in step: leases and certificates need it, and etcd warns of a peer whose clock differs by more than a second
 * (etcd, server/etcdserver/api/rafthttp/probing_status.go). Every node's is compared with this machine's.
 */
export function judgeClocks({ limits, nodes }: Settings, facts: Facts): Finding[] {
  const asked = nodes.flatMap(({ name }) => {
    const looked = facts.nodes.get(name);
    return looked ? [{ name, looked }] : [];
  });
  const clocks = asked.flatMap(({ name, looked }) =>
    "value" in looked ? [{ name, skew: looked.value.clockSkewMs, error: looked.value.clockErrorMs }] : [],
  );
  const unread = asked.filter(({ looked }) => "missing" in looked).map(({ name }) => name);
  const question = { check: "nodes: clocks in step", wanted: `at most ${limits.clockSkewMs} ms` };
  const last = clocks.toSorted((a, b) => a.skew - b.skew).at(-1);
  const first = clocks.toSorted((a, b) => a.skew - b.skew)[0];
  const [apart, error] = first && last ? [last.skew - first.skew, first.error + last.error] : [0, 0];
  // What the way of the answers may have added is no proof.
  const inStep = apart - error <= limits.clockSkewMs;
  if (inStep && unread.length > 0) {
    return [unknown(question, `not read: ${unread.join(", ")}`, "timedatectl timesync-status there")];
  }
  if (!first || !last) return [];
  return [
    {
      ...question,
      found: `${apart} ms apart at most (±${error}), ${first.name} behind ${last.name}`,
      momentary: true,
      ...must(inStep, `timedatectl timesync-status (or chronyc tracking) on ${first.name} and ${last.name}`),
    },
  ];
}
