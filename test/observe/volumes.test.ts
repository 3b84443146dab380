import assert from "node:assert/strict";
import type { V1PersistentVolume, V1PersistentVolumeSpec } from "@kubernetes/client-node";
import { describe, it } from "mocha";
import { rewoundWith } from "../../observe/volumes";

const volume = (name: string, spec: V1PersistentVolumeSpec): V1PersistentVolume => ({
  metadata: { name },
  spec: { claimRef: { namespace: "research", name }, ...spec },
});
const on = (key: string, ...values: string[]): V1PersistentVolumeSpec => ({
  nodeAffinity: {
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "In", values }] }] },
  },
});
const csi = (driver: string) => ({ csi: { driver, volumeHandle: "x" } });
const local = { local: { path: "/data" } };

describe("observe/volumes", () => {
  it("counts what lies on the node's own disk, and what may", () => {
    const volumes = [
      volume("here", { ...local, ...on("kubernetes.io/hostname", "sm01") }),
      volume("elsewhere", { ...local, ...on("kubernetes.io/hostname", "sm02") }),
      volume("anywhere", { hostPath: { path: "/data" } }),
      volume("zone", { ...local, ...on("topology.kubernetes.io/zone", "a") }),
      volume("nfs", { nfs: { server: "x", path: "/" } }),
    ];
    assert.deepEqual(rewoundWith(volumes, "sm01"), {
      own: ["research/here", "research/anywhere", "research/zone"],
      copies: [],
    });
  });

  it("counts a CSI driver's volume that is bound to the node, whatever the driver calls its label", () => {
    const volumes = [
      volume("here", { ...csi("topolvm.io"), ...on("topology.topolvm.io/node", "sm01") }),
      volume("elsewhere", { ...csi("topolvm.io"), ...on("topology.topolvm.io/node", "sm02") }),
      volume("zone", { ...csi("ebs.csi.aws.com"), ...on("topology.ebs.csi.aws.com/zone", "a") }),
      volume("anywhere", csi("nfs.csi.k8s.io")),
    ];
    assert.deepEqual(rewoundWith(volumes, "sm01"), { own: ["research/here"], copies: [] });
  });

  it("takes it that Longhorn and Ceph may keep a copy on any node", () => {
    const volumes = [
      volume("longhorn", csi("driver.longhorn.io")),
      volume("rook", csi("rook-ceph.rbd.csi.ceph.com")),
      volume("other", csi("notlonghorn.io")),
      { ...volume("free", { ...csi("driver.longhorn.io"), claimRef: undefined }) },
    ];
    assert.deepEqual(rewoundWith(volumes, "sm01"), {
      own: [],
      copies: ["research/longhorn", "research/rook", "(no claim) free"],
    });
  });
});
