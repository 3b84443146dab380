import type { Settings } from "../../config";
import type { Facts } from "../facts";
import { type Finding, must } from "../finding";

/**
 * Clocks in step: leases and certificates need it, and etcd warns of a peer whose clock differs by more than a second
 * (etcd, server/etcdserver/api/rafthttp/probing_status.go). Every node's is compared with this machine's.
 */
export function judgeClocks({ limits, nodes }: Settings, facts: Facts): Finding[] {
  const clocks = nodes.flatMap(({ name }) => {
    const looked = facts.nodes.get(name);
    return looked && "value" in looked
      ? [{ name, skew: looked.value.clockSkewMs, error: looked.value.clockErrorMs }]
      : [];
  });
  const last = clocks.toSorted((a, b) => a.skew - b.skew).at(-1);
  const first = clocks.toSorted((a, b) => a.skew - b.skew)[0];
  if (!first || !last) return [];
  const apart = last.skew - first.skew;
  const error = first.error + last.error;
  return [
    {
      check: "nodes: clocks in step",
      found: `${apart} ms apart at most (±${error}), ${first.name} behind ${last.name}`,
      wanted: `at most ${limits.clockSkewMs} ms`,
      momentary: true,
      ...must(
        // What the way of the answers may have added is no proof.
        apart - error <= limits.clockSkewMs,
        `timedatectl timesync-status (or chronyc tracking) on ${first.name} and ${last.name}`,
      ),
    },
  ];
}
