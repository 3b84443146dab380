/**
 * How old the way back of the whole cluster has become, once it cannot be renewed: the next window goes on with
 * a fresh way back or the operator's acceptance of the servers.
 */
import { duration, goingBackTakesEtcd, type Settings, utc } from "../config";
import type { Facts, Finding } from "../observe";
import { nameOf } from "../observe/facts";
import type { Backup } from "./etcdBackups";

/**
 * Across a minor the cluster goes back to the newest etcd snapshot with the accepted version's data, and from the first
 * server on there will be no newer one: what is written since is lost with it. Silent before that, and within a minor,
 * where the cluster goes back in place. Pure.
 * @param newest the newest etcd snapshot of this change with the accepted version's data
 */
export function judgeWayBackAge(settings: Settings, facts: Facts, newest: Backup | undefined): Finding[] {
  const { acceptedVersion: accepted, changeId, limits, backup } = settings;
  if (!goingBackTakesEtcd(settings) || !serverTouched(settings, facts)) return [];
  const finding = {
    check: "way back: age of the etcd snapshot",
    wanted: `at most ${limits.wayBackMaxAgeHours} h, or acceptedServers names ${changeId}`,
  };
  if (!newest) {
    const found = `none of ${changeId} with the data of ${accepted} in ${backup.directory}`;
    const next = "run where the change was begun, or put its backups there, each with its .sha256";
    return [{ ...finding, found, verdict: "fail", next }];
  }
  const age = Math.round((facts.at.getTime() - newest.takenAt.getTime()) / 1000);
  const since = utc(newest.takenAt);
  const old = {
    ...finding,
    found: `${duration(age)}, taken ${since}: no newer one with the data of ${accepted} can be taken, a server is upgraded`,
  };
  if (age <= limits.wayBackMaxAgeHours * 3600) return [{ ...old, verdict: "pass" }];
  if (settings.acceptedServers === changeId) {
    const next = `allowed: acceptedServers names ${changeId}; going back would lose every object written since ${since}`;
    return [{ ...old, verdict: "warn", next }];
  }
  const next = `decide: go back now, which loses every object written since ${since} (docs/goBack.md), or keep the servers as they are, at that same cost should the cluster have to go back later: pulumi config set 'rke2-upgrade:acceptedServers' ${changeId}`;
  return [{ ...old, verdict: "fail", next }];
}

/** Whether a server is no longer on the accepted version; one that cannot be asked counts by the cluster's word. */
const serverTouched = ({ servers, acceptedVersion }: Settings, { nodes, cluster }: Facts): boolean =>
  servers.some(({ name }) => {
    const seen = nodes.get(name);
    if (seen && "value" in seen) return seen.value.versionOnDisk !== acceptedVersion;
    const found = "value" in cluster ? cluster.value.nodes.find((node) => nameOf(node) === name) : undefined;
    return found !== undefined && found.status?.nodeInfo?.kubeletVersion !== acceptedVersion;
  });
