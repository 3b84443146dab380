import type { Settings } from "../../config";
import type { ClusterFacts } from "../cluster";
import { isMarked, nameOf } from "../facts";
import { type Finding, must } from "../finding";

/** etcd as one of its members sees it. */
export function judgeEtcd(
  settings: Settings,
  { nodes, members, hasLeader, alarms }: ClusterFacts,
): Finding[] {
  const serverInTurn = nodes.some(
    (node) => isMarked(settings, node) && settings.servers.some(({ name }) => name === nameOf(node)),
  );
  const silent = members.filter((member) => !member.version);
  const wantedMembers = settings.servers.length;
  const answering = silent.length <= (serverInTurn ? 1 : 0);
  const versions = [...new Set(members.flatMap((member) => member.version ?? []))];
  return [
    {
      check: "cluster: etcd",
      found: `${members.length} members (${versions.join(", ") || "no version"}), ${silent.length ? `silent: ${silent.map((m) => m.name).join(", ")}` : "all answer"}, ${hasLeader ? "a leader" : "no leader"}, ${alarms} alarms`,
      wanted: `${wantedMembers} members that answer, a leader, 0 alarms`,
      ...must(
        members.length === wantedMembers && answering && hasLeader && alarms === 0,
        "curl http://127.0.0.1:2381/health on each server; crictl ps -a --name etcd; no server is taken down while a member is",
      ),
    },
  ];
}
