/** Which volumes a rollback of a node's VM takes back with it. Pure. */
import type { V1NodeSelectorRequirement, V1PersistentVolume } from "@kubernetes/client-node";

/** What a rollback of a node's VM takes back, by claim: `namespace/name`, or the volume's name where it has none. */
export interface Rewound {
  /** Volumes whose only data lies on the node's own disk, or may. */
  readonly own: readonly string[];
  /** Volumes of storage that keeps copies on nodes' disks; which of them on this one, no volume says. */
  readonly copies: readonly string[];
}

/** Longhorn, and Ceph as Rook runs it in the cluster. A Ceph outside of it uses the same drivers and cannot be told apart. */
const KEEPS_COPIES = /(^|\.)longhorn\.io$|\.csi\.ceph\.com$/;

/** What of the cluster's volumes goes back with a node's VM. */
export function rewoundWith(volumes: readonly V1PersistentVolume[], node: string): Rewound {
  return {
    own: volumes.filter((volume) => liesOn(volume, node)).map(claimOf),
    copies: volumes.filter(({ spec }) => KEEPS_COPIES.test(spec?.csi?.driver ?? "")).map(claimOf),
  };
}

/** Whether a volume's only data lies on the node, or may: local and hostPath also where they are bound to no node. */
function liesOn({ spec }: V1PersistentVolume, node: string): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const wants = terms.flatMap(({ matchExpressions = [], matchFields = [] }) => [
    ...matchExpressions,
    ...matchFields,
  ]);
  // Each driver has a label of its own for the node: topology.topolvm.io/node, openebs.io/nodename …
  if (spec?.csi) return valuesOf(wants).includes(node);
  if (!spec?.local && !spec?.hostPath) return false;
  const names = valuesOf(wants.filter(({ key }) => key === "kubernetes.io/hostname"));
  return names.length === 0 || names.includes(node);
}

const valuesOf = (wants: readonly V1NodeSelectorRequirement[]): string[] =>
  wants.filter(({ operator }) => operator === "In").flatMap(({ values }) => values ?? []);

const claimOf = ({ metadata, spec }: V1PersistentVolume): string =>
  spec?.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : `(no claim) ${metadata?.name}`;
