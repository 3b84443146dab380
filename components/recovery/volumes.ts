import type { V1PersistentVolume } from "@kubernetes/client-node";
import { type ClusterNode, isConsented, type Settings } from "../../config";
import type { Finding } from "../../observe";
import type { Look } from "../../observe/look";
import { rewoundWith } from "../../observe/volumes";

/**
 * What a rollback of a node's VM takes back of the cluster's volumes, and whether it may. Servers run ordinary workloads
 * too (RKE2's default), so they are asked of like agents. Pure.
 * @param begun this way back is under way: the API may be dead by its own doing, and it was asked before
 */
export function judgeVolumes(
  settings: Settings,
  node: ClusterNode,
  volumes: Look<readonly V1PersistentVolume[]>,
  begun: boolean,
): Finding[] {
  const { rewindVolumes } = settings.consents;
  const check = `${node.name}: volumes on its own disk`;
  const wanted = "none without consent (consents.rewindVolumes)";
  if ("missing" in volumes) {
    const found = `not measured: ${volumes.missing}`;
    if (rewindVolumes.includes("*")) return [{ check, found, wanted, verdict: "pass" }];
    if (begun) return [{ check, found: `${found}; asked when this way back began`, wanted, verdict: "pass" }];
    const next = `no server can say which there are. All of them may go back: pulumi config set --path 'rke2-upgrade:consents.rewindVolumes[0]' '*'; else ${keeps(settings, node)}`;
    return [{ check, found: volumes.missing, wanted, verdict: "not measured", next }];
  }
  const { own, copies } = rewoundWith(volumes.value, node.name);
  const judge = (check: string, claims: readonly string[], why: string): Finding => {
    const refused = claims.filter((claim) => !isConsented(rewindVolumes, claim));
    const next = `${why}: ${keeps(settings, node)}; else name them in consents.rewindVolumes: ${refused.join(", ")}`;
    const found = claims.join(", ") || "none";
    return {
      check,
      found,
      wanted,
      ...(refused.length === 0 ? { verdict: "pass" } : { verdict: "fail", next }),
    };
  };
  return [
    judge(check, own, "they would go back to the snapshot"),
    ...(copies.length === 0
      ? []
      : [
          judge(
            `${node.name}: volumes of Longhorn or Ceph, whose copies may lie on its disk`,
            copies,
            "an old copy beside newer ones can damage the volume",
          ),
        ]),
  ];
}

/** What leaves the disk as it is. */
const keeps = ({ goBack }: Settings, { role }: ClusterNode): string =>
  role === "agent"
    ? "goBack.strategy reinstall keeps them"
    : goBack?.nodes
      ? "move them to other nodes first, or mend this server by going forward"
      : "goBack.strategy restore keeps them, where every server answers";
