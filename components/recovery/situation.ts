import type { Settings, Situation } from "../../config";
import { type Facts, holdTheSame, lookAtMembers, notOne, refusesLogin } from "../../observe";
import { ageMs, backupToGoTo } from "../etcdBackups";

/** Of what was seen, all that tells who is sick. */
export type SickFacts = Pick<Facts, "nodes" | "cluster">;

/**
 * What a way back would be chosen by, from what was seen and from one more look at each server's etcd. Never throws.
 */
export async function situationOf(
  settings: Settings,
  facts: SickFacts,
  sshPrivateKey: string,
): Promise<Situation> {
  const { rke2Version, acceptedVersion } = settings;
  const age = async (strategy: "restore" | "rollback") => {
    const backup = await backupToGoTo(settings, strategy);
    return backup && ageMs(backup);
  };
  const notReady =
    "value" in facts.cluster
      ? facts.cluster.value.nodes
          .filter(({ status }) => status?.conditions?.find(({ type }) => type === "Ready")?.status !== "True")
          .map(({ metadata }) => metadata?.name ?? "")
      : [];
  const seen = settings.nodes.map(({ name }) => ({ name, node: facts.nodes.get(name) }));
  // A turn's gate looks at some of the nodes alone: of the others nothing is known.
  const unseen = seen.flatMap(({ name, node }) =>
    node && "missing" in node ? [{ name, why: node.missing }] : [],
  );
  const refusing = unseen.filter(({ why }) => refusesLogin(why));
  const silent = unseen.filter((one) => !refusing.includes(one)).map(({ name }) => name);
  const answers = seen.some(({ node }) => node && "value" in node);
  const down = seen.flatMap(({ name, node }) => {
    if (!node || !("value" in node)) return [];
    const { service, versionRunning } = node.value;
    return service === "active" && [rke2Version, acceptedVersion].includes(versionRunning) ? [] : [name];
  });
  const members = await lookAtMembers(settings.servers, sshPrivateKey).catch(() => undefined);
  const etcdWhole = members && holdTheSame(members);
  return {
    sick: [...new Set([...silent, ...down, ...notReady])],
    silent,
    refusing,
    nobody: unseen.length > 0 && !answers ? unseen : [],
    etcdWhole,
    etcdWhy: members && etcdWhole === false ? notOne(members, settings.servers.length).join("; ") : undefined,
    backupAgesMs: { restore: await age("restore"), rollback: await age("rollback") },
  };
}
