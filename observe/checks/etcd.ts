import type { Settings } from "../../config";
import type { EtcdView } from "../etcdView";
import { type Facts, inTurn } from "../facts";
import type { Finding } from "../finding";
import type { ServerFacts } from "../node";
import { ROWS } from "../rows";
import { unknown } from "../unmeasured";
import { judgeSize, judgeWrites } from "./etcdFigures";

/** A server that was asked about its own member, and what it said; undefined where nothing came. */
export interface AskedServer {
  readonly name: string;
  readonly said?: ServerFacts;
}

/** etcd by the word of the servers' own members: nothing of it needs the Kubernetes API. */
export function judgeEtcd(settings: Settings, facts: Facts): Finding[] {
  // One in its turn need not answer.
  const turning = settings.servers
    .map(({ name }) => name)
    .filter((name) => inTurn(settings, facts.cluster, name));
  const asked = settings.servers.flatMap(({ name }): AskedServer[] => {
    const looked = facts.nodes.get(name);
    if (!looked || turning.includes(name)) return [];
    return [{ name, said: "value" in looked ? looked.value.server : undefined }];
  });
  return [
    judgeWhole(settings, facts, asked, turning),
    ...(asked.length > 0 ? [judgeSize(asked), judgeWrites(settings, asked)] : []),
  ];
}

/** Whether all members are one etcd: by each server that was asked, and by the one on which the cluster was. */
function judgeWhole(
  settings: Settings,
  { cluster }: Facts,
  asked: readonly AskedServer[],
  turning: readonly string[],
): Finding {
  const words = new Map(asked.map(({ name, said }) => [name, said?.etcd as EtcdView | undefined]));
  if ("value" in cluster) {
    const { askedOn, etcd } = cluster.value;
    if (etcd || !turning.includes(askedOn)) words.set(askedOn, words.get(askedOn) ?? etcd);
  }
  const views = [...words].flatMap(([by, view]) => (view ? [{ by, ...view }] : []));
  const question = {
    check: "etcd: whole",
    wanted: `${settings.servers.length} members, the servers, that answer and agree on a leader; no alarm`,
  };
  const wrong = faultsOf(settings, views, turning.length > 0 ? 1 : 0);
  if (wrong.length > 0) {
    const alarmed = views.some(({ alarms = 0 }) => alarms > 0);
    const next = alarmed
      ? `NOSPACE: compact and defragment, then disarm; CORRUPT: stop here. ${ROWS.quorum}`
      : ROWS.quorum;
    return { ...question, found: wrong.join("; "), verdict: "fail", next };
  }
  const unread = [...words].filter(([, view]) => !view).map(([by]) => `${by}'s own etcd was not read`);
  const silent = views.filter(({ alarms }) => alarms === undefined);
  const untold = [...unread, ...silent.map(({ by }) => `${by} does not say whether there is an alarm`)];
  if (views.length === 0 || untold.length > 0) {
    return unknown(question, untold.join("; ") || "no server's etcd was asked", ROWS.quorum);
  }
  const versions = new Set(views.flatMap(({ members }) => members.flatMap(({ version }) => version ?? [])));
  const found = `${views[0]?.members.length} members (${[...versions].join(", ")}), one leader, no alarm, by the word of ${views.map(({ by }) => by).join(", ")}`;
  return { ...question, found, verdict: "pass" };
}

/** What is wrong by anybody's word. @param mayBeSilent members that need not answer */
function faultsOf(
  { servers }: Settings,
  views: readonly (EtcdView & { by: string })[],
  mayBeSilent: number,
): string[] {
  const counts = [...new Set(views.map(({ members }) => members.length))].filter((n) => n !== servers.length);
  const named = (which: (member: EtcdView["members"][number]) => boolean) => [
    ...new Set(
      views.flatMap(({ members }) => members.filter(which).map(({ name, peerUrl }) => name || peerUrl)),
    ),
  ];
  // RKE2 names a member after its node, with a suffix of its own.
  const strangers = named(
    ({ name: member }) =>
      member !== "" && !servers.some(({ name }) => member === name || member.startsWith(`${name}-`)),
  );
  const silent = named(({ version }) => !version);
  const learners = named(({ isLearner }) => isLearner);
  const leaderless = views.filter(({ leader }) => leader === "0").map(({ by }) => by);
  const leaders = new Set(views.map(({ leader }) => leader).filter((leader) => leader !== "0"));
  const alarms = Math.max(0, ...views.map(({ alarms }) => alarms ?? 0));
  return [
    ...counts.map((count) => `${count} members for ${servers.length} servers`),
    ...(strangers.length ? [`members that are no server: ${strangers.join(", ")}`] : []),
    ...(silent.length > mayBeSilent ? [`silent: ${silent.join(", ")}`] : []),
    ...(learners.length ? [`not voting yet: ${learners.join(", ")}`] : []),
    ...(leaderless.length ? [`no leader by the word of ${leaderless.join(", ")}`] : []),
    ...(leaders.size > 1 ? [`they name ${leaders.size} leaders`] : []),
    ...(alarms > 0 ? [`${alarms} alarms`] : []),
  ];
}
