/** An etcd member as the asked one lists it, and what it answered itself. */
export interface EtcdMember {
  readonly name: string;
  readonly peerUrl: string;
  /** Not a voter yet. */
  readonly isLearner: boolean;
  /** etcd's version as the member says it itself; undefined where it did not answer. */
  readonly version?: string;
}

/** etcd as one server's own member knows it. */
export interface EtcdView {
  readonly members: readonly EtcdMember[];
  /** The leader's ID; 0 where it knows none. */
  readonly leader: string;
  /** How many there are; undefined where that was not answered, which is no "none". */
  readonly alarms?: number;
}

/**
 * Reads what etcd_view (scripts/lib-etcd-view.sh) printed. Pure.
 * @param said the answer by its name; empty where none came
 * @returns undefined where that server's etcd did not answer
 */
export function parseEtcdView(said: (key: string) => string): EtcdView | undefined {
  const json = (key: string) => JSON.parse(said(key) || "{}");
  const [status, listed, alarms] = [json("etcdStatus"), json("etcdMembers"), json("etcdAlarms")];
  if (!status.header || !listed.header) return undefined;
  const members = listed.members as { name?: string; peerURLs?: string[]; isLearner?: boolean }[] | undefined;
  return {
    members: (members ?? []).map(({ name = "", peerURLs, isLearner }) => {
      const peerUrl = peerURLs?.[0] ?? "";
      const { etcdserver: version } = json(`etcdMember ${peerUrl}`);
      return { name, peerUrl, isLearner: isLearner === true, version };
    }),
    leader: status.leader ?? "0",
    // Where there is none the gateway leaves the list out: the header alone tells an answer from silence.
    alarms: alarms.header && (alarms.alarms ?? []).length,
  };
}
