import type { Settings } from "../../config";
import type { Finding } from "../finding";
import { ROWS } from "../rows";
import { type Question, unknown } from "../unmeasured";
import type { AskedServer } from "./etcd";

/** A database nearer than this to its quota may reach it within a change: revisions are compacted every five minutes. */
const QUOTA_SHARE = { warn: 0.7, fail: 0.9 };

/** RKE2 starts etcd with this heartbeat: beyond it a leader loses its members. */
const HEARTBEAT_MS = 500;

const METRICS = "curl -s http://127.0.0.1:2381/metrics there; crictl ps -a --name etcd";

/** The database of each member against its own quota: at the quota the cluster turns read-only. */
export function judgeSize(asked: readonly AskedServer[]): Finding {
  const question = {
    check: "etcd: database against its quota",
    wanted: `at most ${QUOTA_SHARE.warn * 100} %`,
  };
  const rows = asked.map(({ name, said }) => {
    const { dbBytes = 0, quotaBytes } = said?.etcd ?? {};
    return { name, dbBytes, quotaBytes, share: quotaBytes ? dbBytes / quotaBytes : undefined };
  });
  const fullest = rows.toSorted((a, b) => (b.share ?? 0) - (a.share ?? 0))[0];
  const share = fullest?.share ?? 0;
  const mib = (bytes = 0) => Math.round(bytes / 2 ** 20);
  const figure = `${mib(fullest?.dbBytes)} of ${mib(fullest?.quotaBytes)} MiB on ${fullest?.name}`;
  if (share > QUOTA_SHARE.warn) {
    const next =
      "find what fills it (events, old Helm releases), then defragment member by member, or raise etcd-arg quota-backend-bytes: at the quota the cluster turns read-only";
    return { ...question, found: figure, verdict: share > QUOTA_SHARE.fail ? "fail" : "warn", next };
  }
  return complete(
    question,
    figure,
    rows.filter(({ share }) => share === undefined),
  );
}

/**
 * How long etcd's log takes to reach the disk. etcd's own hardware guide wants a 99th percentile below 10 ms; it warns of
 * a request from 100 ms on.
 */
export function judgeWrites({ limits: { etcdWriteMs } }: Settings, asked: readonly AskedServer[]): Finding {
  const question = { check: "etcd: writes to its log", wanted: `below ${etcdWriteMs} ms` };
  const rows = asked.map(({ name, said }) => ({ name, count: said?.fsyncs, ms: said?.fsyncMs ?? 0 }));
  const slowest = rows.toSorted((a, b) => b.ms - a.ms)[0];
  const figures = rows
    .filter(({ count }) => count !== undefined)
    .map(({ name, count, ms }) => `${name} ${count === 0 ? "none in that second" : `${ms.toFixed(1)} ms`}`)
    .join(", ");
  if (slowest && slowest.ms >= etcdWriteMs) {
    return {
      ...question,
      found: figures,
      verdict: slowest.ms >= HEARTBEAT_MS ? "fail" : "warn",
      momentary: true,
      next: `iostat -x 1 on ${slowest.name}, and its Proxmox host's storage: who else writes there? ${ROWS.quorum}`,
    };
  }
  return complete(
    question,
    figures,
    rows.filter(({ count }) => count === undefined),
  );
}

/** Passes where all have told their figure. */
function complete(question: Question, figure: string, unread: readonly { name: string }[]): Finding {
  if (unread.length === 0) return { ...question, found: figure, verdict: "pass" };
  return unknown(question, `not read: ${unread.map(({ name }) => name).join(", ")}`, METRICS);
}
