import type { Settings, Situation } from "../../config";
import { type Facts, lookAtMembers, notOne } from "../../observe";
import { ageMs, newestBackup } from "../etcdBackups";

/**
 * What a way back would be chosen by, from what was seen and from one more look at each server's etcd. Never throws.
 */
export async function situationOf(
  settings: Settings,
  facts: Facts,
  sshPrivateKey: string,
): Promise<Situation> {
  const { rke2Version, acceptedVersion } = settings;
  const notReady =
    "value" in facts.cluster
      ? facts.cluster.value.nodes
          .filter(({ status }) => status?.conditions?.find(({ type }) => type === "Ready")?.status !== "True")
          .map(({ metadata }) => metadata?.name ?? "")
      : [];
  const seen = settings.nodes.map(({ name }) => ({ name, node: facts.nodes.get(name) }));
  const silent = seen.filter(({ node }) => !node || "missing" in node).map(({ name }) => name);
  const down = seen.flatMap(({ name, node }) => {
    if (!node || !("value" in node)) return [];
    const { service, versionRunning } = node.value;
    return service === "active" && [rke2Version, acceptedVersion].includes(versionRunning) ? [] : [name];
  });
  const members = await lookAtMembers(settings.servers, sshPrivateKey).catch(() => undefined);
  // Members that write on while they are asked may compact in between: only what differs for good counts.
  const differ =
    members && notOne(members, settings.servers.length).filter((why) => /hashes|cluster IDs/.test(why));
  const newest = await newestBackup(settings, acceptedVersion);
  return {
    sick: [...new Set([...silent, ...down, ...notReady])],
    silent,
    etcdWhole: differ && differ.length === 0,
    backupAgeMs: newest && ageMs(newest),
  };
}
