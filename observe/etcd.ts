import type { ClusterNode } from "../config";
import { bareText, shellWord } from "../scripts";
import { withNode } from "./ssh";

/** A server's own etcd member, asked on that server. */
export interface MemberFacts {
  readonly server: string;
  readonly clusterId: string;
  /** Every member it knows, by name; a learner or one that has not started has a `*`. */
  readonly members: readonly string[];
  readonly leader: string;
  /** Their kinds, of any member: `CORRUPT`, `NOSPACE`. */
  readonly alarms: readonly string[];
  /** The newest revision it has. */
  readonly revision: string;
  /** Hash of its keys and values up to the revision asked for, and the revision it was compacted at. */
  readonly hash: string;
  readonly compactedAt: string;
}

/**
 * Asks each server's own member. All hash up to one revision, the first member's newest: hashes of the same revision
 * and the same compaction are equal in members that hold the same data, and that is how etcd itself looks for corruption.
 * @throws with the server's name where one does not answer
 */
export async function lookAtMembers(
  servers: readonly ClusterNode[],
  privateKey: string,
): Promise<MemberFacts[]> {
  const [first, ...others] = servers as [ClusterNode, ...ClusterNode[]];
  const newest = await ask(first, privateKey, "0");
  const all = await Promise.all([first, ...others].map((server) => ask(server, privateKey, newest.revision)));
  return all;
}

async function ask(server: ClusterNode, privateKey: string, revision: string): Promise<MemberFacts> {
  const { code, stdout, stderr } = await withNode(server, privateKey, (session) =>
    session.exec(`sudo -n bash -s -- look-etcd ${shellWord(revision)}`, {
      stdin: bareText("look-etcd"),
      timeoutMs: 30_000,
    }),
  );
  if (code !== 0) throw new Error(`${server.name}: ${stderr.trim() || `exit ${code}`}`);
  const said = new Map(
    stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split("\t", 2) as [string, string]),
  );
  const json = (key: string) => JSON.parse(said.get(key) || "{}");
  const [status, listed, hash, alarms] = ["status", "members", "hash", "alarms"].map(json);
  if (!status.header || !listed.members || !hash.hash || !alarms.header) {
    throw new Error(`${server.name}: its etcd does not answer`);
  }
  return {
    server: server.name,
    clusterId: status.header.cluster_id,
    members: (listed.members as { name?: string; isLearner?: boolean; clientURLs?: string[] }[])
      .map(({ name, isLearner, clientURLs }) => `${name ?? ""}${isLearner || !clientURLs?.length ? "*" : ""}`)
      .sort(),
    leader: status.leader ?? "0",
    alarms: ((alarms.alarms ?? []) as { alarm?: string }[]).map(({ alarm = "of no kind" }) => alarm),
    revision: status.header.revision,
    hash: String(hash.hash),
    compactedAt: hash.compact_revision ?? "0",
  };
}

/**
 * Whether the members hold the same data, by their hashes and by etcd's own alarm of corruption; undefined where they cannot
 * be compared. Pure.
 */
export function holdTheSame(members: readonly MemberFacts[]): boolean | undefined {
  const same = (of: (member: MemberFacts) => string) => new Set(members.map(of)).size === 1;
  if (members.some(({ alarms }) => alarms.includes("CORRUPT")) || !same(({ clusterId }) => clusterId))
    return false;
  // Members that compacted a moment apart hash other spans.
  return same(({ compactedAt }) => compactedAt) ? same(({ hash }) => hash) : undefined;
}

/** Why the members are not one whole etcd: other clusters, other lists, other data. Empty where they are. Pure. */
export function notOne(members: readonly MemberFacts[], servers: number): string[] {
  const distinct = (what: string, of: (member: MemberFacts) => string) => {
    const values = new Set(members.map(of));
    return values.size === 1
      ? []
      : [`${what} differ: ${members.map((member) => `${member.server} ${of(member)}`).join(", ")}`];
  };
  const odd = members.filter(
    ({ members: known, alarms, leader }) =>
      known.length !== servers ||
      known.some((name) => name.endsWith("*")) ||
      alarms.length > 0 ||
      leader === "0",
  );
  return [
    ...distinct("cluster IDs", ({ clusterId }) => clusterId),
    ...distinct("member lists", ({ members: known }) => known.join(" ")),
    ...odd.map(
      ({ server, members: known, alarms, leader }) =>
        `${server} knows ${known.length} members (${known.join(" ")}; * learns or has not started), ${leader === "0" ? "no leader" : "a leader"}, alarms: ${alarms.join(", ") || "none"}; wanted ${servers}`,
    ),
    // Members compact a moment apart: only hashes over the same span can be compared.
    ...(new Set(members.map(({ compactedAt }) => compactedAt)).size === 1
      ? distinct("hashes of the data", ({ hash }) => hash)
      : distinct("compactions", ({ compactedAt }) => compactedAt)),
  ];
}
