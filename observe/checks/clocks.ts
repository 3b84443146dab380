import type { Settings } from "../../config";
import type { Facts } from "../facts";
import { type Finding, must } from "../finding";
import { unknown } from "../unmeasured";

/**
 * How far this machine's clock may be from the nodes', milliseconds: windows, deadlines and the ages of backups, which go by it,
 * are a matter of minutes.
 */
const OWN_CLOCK_MS = 60_000;

interface Clock {
  readonly name: string;
  /** Against this machine's, and how far that can be off, milliseconds. */
  readonly skew: number;
  readonly error: number;
}

/**
 * Clocks in step: leases and certificates need it, and etcd warns of a peer whose clock differs by more than a second
 * (etcd, server/etcdserver/api/rafthttp/probing_status.go). Every node's is compared with this machine's, which windows are
 * judged by: it must not be the one that is wrong.
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
  const own = judgeOwnClock(clocks);
  // What the way of the answers may have added is no proof.
  const inStep = apart - error <= limits.clockSkewMs;
  if (inStep && unread.length > 0) {
    return [...own, unknown(question, `not read: ${unread.join(", ")}`, "timedatectl timesync-status there")];
  }
  if (!first || !last) return [];
  return [
    ...own,
    {
      ...question,
      found: `${apart} ms apart at most (±${error}), ${first.name} behind ${last.name}`,
      momentary: true,
      ...must(inStep, `timedatectl timesync-status (or chronyc tracking) on ${first.name} and ${last.name}`),
    },
  ];
}

/** One node that is in step with this machine is enough: that the others are not is told beside. */
function judgeOwnClock(clocks: readonly Clock[]): Finding[] {
  const [nearest] = clocks.toSorted((a, b) => leastSkew(a) - leastSkew(b));
  if (!nearest) return [];
  const { name, skew, error } = nearest;
  return [
    {
      check: "this machine: its clock",
      found: `${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? "behind" : "ahead of"} ${name}'s (±${Math.ceil(error / 1000)} s), the nearest of ${clocks.length} nodes'`,
      wanted: `at most ${OWN_CLOCK_MS / 1000} s from a node's: windows, deadlines and ages of backups go by it`,
      ...must(
        leastSkew(nearest) <= OWN_CLOCK_MS,
        `timedatectl timesync-status (or chronyc tracking) on this machine; where its time is right, on ${name}`,
      ),
    },
  ];
}

/** What the way of the answers cannot explain. */
const leastSkew = ({ skew, error }: Clock): number => Math.abs(skew) - error;
