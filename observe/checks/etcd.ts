import type { Settings } from "../../config";
import { type Facts, inTurn } from "../facts";
import type { Finding } from "../finding";
import { ROWS } from "../rows";

/** A database nearer than this to its quota may reach it within a change: revisions are compacted every five minutes. */
const QUOTA_SHARE = { warn: 0.7, fail: 0.9 };

/** RKE2 starts etcd with this heartbeat: beyond it a leader loses its members. */
const HEARTBEAT_MS = 500;

/** etcd as each server's member says it, and as one of them lists the members. */
export function judgeEtcd(settings: Settings, facts: Facts): Finding[] {
  const { cluster } = facts;
  if (!("value" in cluster)) return [];
  const { members, hasLeader, alarms } = cluster.value;
  const turning = settings.servers.some(({ name }) => inTurn(settings, cluster, name));
  const own = settings.servers.flatMap(({ name }) => {
    const looked = facts.nodes.get(name);
    const etcd = looked && "value" in looked ? looked.value.server?.etcd : undefined;
    return etcd ? [{ name, ...etcd }] : [];
  });
  const silent = members.filter(({ version }) => !version).map(({ name, peerUrl }) => name || peerUrl);
  const learners = members.filter(({ isLearner }) => isLearner).map(({ name, peerUrl }) => name || peerUrl);
  const leaders = new Set(own.map(({ leader }) => leader).filter((leader) => leader !== "0"));
  const versions = [...new Set(members.flatMap(({ version }) => version ?? []))];
  const wanted = settings.servers.length;
  const strangers = strangersAmong(settings, members);
  const wrong = [
    ...(members.length === wanted ? [] : [`${members.length} members for ${wanted} servers`]),
    ...(strangers.length ? [`members that are no server: ${strangers.join(", ")}`] : []),
    ...(silent.length > (turning ? 1 : 0) ? [`silent: ${silent.join(", ")}`] : []),
    ...(learners.length ? [`not voting yet: ${learners.join(", ")}`] : []),
    ...(hasLeader ? [] : ["no leader"]),
    ...(leaders.size > 1 ? [`they name ${leaders.size} leaders`] : []),
    ...(alarms > 0 ? [`${alarms} alarms`] : []),
  ];
  return [
    {
      check: "etcd: whole",
      found: wrong.join("; ") || `${members.length} members (${versions.join(", ")}), one leader, no alarm`,
      wanted: `${wanted} members, the servers, that answer and agree on a leader; no alarm`,
      ...(wrong.length === 0
        ? { verdict: "pass" }
        : {
            verdict: "fail",
            next:
              alarms > 0
                ? `NOSPACE: compact and defragment, then disarm; CORRUPT: stop here. ${ROWS.quorum}`
                : ROWS.quorum,
          }),
    },
    ...(own.length > 0 ? [judgeSize(own)] : []),
    ...judgeWrites(settings, facts),
  ];
}

/** Members that have no server's name: RKE2 names a member after its node, with a suffix of its own. */
function strangersAmong({ servers }: Settings, members: readonly { name: string }[]): string[] {
  return members
    .map(({ name }) => name)
    .filter(
      (member) => member && !servers.some(({ name }) => member === name || member.startsWith(`${name}-`)),
    );
}

function judgeSize(own: readonly { name: string; dbBytes: number; quotaBytes: number }[]): Finding {
  const fullest = own.toSorted((a, b) => b.dbBytes / b.quotaBytes - a.dbBytes / a.quotaBytes)[0];
  const share = fullest ? fullest.dbBytes / fullest.quotaBytes : Number.NaN;
  const mib = (bytes = 0) => Math.round(bytes / 2 ** 20);
  const verdict = !(share <= QUOTA_SHARE.fail) ? "fail" : share > QUOTA_SHARE.warn ? "warn" : "pass";
  return {
    check: "etcd: database against its quota",
    found: `${mib(fullest?.dbBytes)} of ${mib(fullest?.quotaBytes)} MiB on ${fullest?.name}`,
    wanted: `at most ${QUOTA_SHARE.warn * 100} %`,
    verdict,
    ...(verdict === "pass"
      ? {}
      : {
          next: "find what fills it (events, old Helm releases), then defragment member by member, or raise etcd-arg quota-backend-bytes: at the quota the cluster turns read-only",
        }),
  };
}

/**
 * How long etcd's log takes to reach the disk. etcd's own hardware guide wants a 99th percentile below 10 ms; it warns of
 * a request from 100 ms on.
 */
function judgeWrites({ servers, limits }: Settings, { nodes }: Facts): Finding[] {
  const figures = servers.flatMap(({ name }) => {
    const looked = nodes.get(name);
    const ms = looked && "value" in looked ? looked.value.server?.fsyncMs : undefined;
    return ms === undefined ? [] : [{ name, ms }];
  });
  const slowest = figures.toSorted((a, b) => b.ms - a.ms)[0];
  if (!slowest) return [];
  const { etcdWriteMs } = limits;
  const verdict = slowest.ms >= HEARTBEAT_MS ? "fail" : slowest.ms >= etcdWriteMs ? "warn" : "pass";
  return [
    {
      check: "etcd: writes to its log",
      found: figures.map(({ name, ms }) => `${name} ${ms.toFixed(1)} ms`).join(", "),
      wanted: `below ${etcdWriteMs} ms`,
      verdict,
      ...(verdict === "pass"
        ? {}
        : {
            momentary: true,
            next: `iostat -x 1 on ${slowest.name}, and its Proxmox host's storage: who else writes there? ${ROWS.quorum}`,
          }),
    },
  ];
}
