import type { ClusterNode, Settings } from "../../config";
import { type Finding, must } from "../finding";
import type { NodeFacts } from "../node";

/** RKE2's tarball unpacked thrice, roughly; the gate on the node asks the same. */
const MIN_FREE_MIB = 2048;
/** Ours: RKE2's images of two versions, and of one where RKE2 imports them from, some 1 GiB each. */
const IMAGES_MIB = 3072;
/** Where the kubelet begins to evict: nodefs.inodesFree below 5 % (Kubernetes, node-pressure eviction's defaults). */
const MIN_INODES_FREE = 0.05;
/** Our own: five times where the kubelet evicts (memory.available below 100 Mi); RKE2 must start beside the pods. */
const MIN_MEMORY_MIB = 512;

/** Room on a node: disk, inodes, memory. */
export function judgeDisk(
  { install }: Pick<Settings, "install">,
  node: ClusterNode,
  { disks, memoryFreeMiB, memoryMiB }: NodeFacts,
): Finding[] {
  const wantedMiB = MIN_FREE_MIB + (install.images ? IMAGES_MIB : 0);
  const shares = disks.map(({ inodes, inodesFree }) => (inodes > 0 ? inodesFree / inodes : 1));
  const short = disks.filter(({ freeMiB }, i) => freeMiB < wantedMiB || (shares[i] ?? 0) < MIN_INODES_FREE);
  const told = [
    ...new Map(disks.map((disk, i) => [disk.mount, { ...disk, share: shares[i] ?? 0 }])).values(),
  ];
  return [
    {
      check: `${node.name}: room on its disk`,
      found: told
        .map(
          ({ mount, freeMiB, share }) =>
            `${mount} ${freeMiB} MiB and ${Math.floor(share * 100)} % of inodes free`,
        )
        .join(", "),
      wanted: `${wantedMiB} MiB, ${MIN_INODES_FREE * 100} % of inodes`,
      ...must(
        disks.length > 0 && short.length === 0,
        "free space: old etcd snapshots, images (crictl rmi --prune), journals",
      ),
    },
    {
      check: `${node.name}: memory`,
      found: `${memoryFreeMiB} of ${memoryMiB} MiB free`,
      wanted: `${MIN_MEMORY_MIB} MiB`,
      ...must(memoryFreeMiB >= MIN_MEMORY_MIB, "ps aux --sort=-rss | head on it; move pods away"),
    },
  ];
}
