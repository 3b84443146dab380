import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { judgeVolumes } from "../../../components/recovery/volumes";
import { parseSettings } from "../../../config";
import { lab, RECIPIENT } from "../../config/lab";

const A = "v1.36.3+rke2r1";
const settings = (nodes?: string[], rewindVolumes: string[] = []) =>
  parseSettings(
    lab({
      rke2Version: "v1.36.3+rke2r2",
      acceptedVersion: A,
      ingressController: "none",
      goBack: { strategy: "rollback", ...(nodes && { nodes }) },
      backup: { directory: "/nowhere", recipients: [RECIPIENT], identityFile: "/nowhere/key.txt" },
      consents: { rewindVolumes },
    }),
  );
const on = (node: string) => ({
  spec: {
    local: { path: "/data" },
    claimRef: { namespace: "research", name: `of-${node}` },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] },
        ],
      },
    },
  },
});
const longhorn = {
  spec: {
    csi: { driver: "driver.longhorn.io", volumeHandle: "x" },
    claimRef: { namespace: "research", name: "copied" },
  },
};
type Volumes = Parameters<typeof judgeVolumes>[2];

/** The verdicts on one node, and what is said of those that stop. */
function judged(settings: Parameters<typeof judgeVolumes>[0], name: string, volumes: Volumes, begun = false) {
  const node = settings.nodes.find((one) => one.name === name);
  assert.ok(node);
  const findings = judgeVolumes(settings, node, volumes, begun);
  return {
    verdicts: findings.map(({ verdict }) => verdict),
    next: findings.map(({ next }) => next ?? "").join("\n"),
  };
}

describe("components/recovery/volumes", () => {
  const SERVER = "proj-k8sm02";
  const AGENT = "proj-k8sw01";
  const both: Volumes = { value: [on(SERVER), on(AGENT)] };

  it("wants consent for a server's volumes as for an agent's, each with what keeps them", () => {
    const server = judged(settings([SERVER]), SERVER, both);
    assert.deepEqual(server.verdicts, ["fail"]);
    assert.match(server.next, /move them to other nodes first.*rewindVolumes: research\/of-proj-k8sm02$/);
    assert.match(judged(settings(), SERVER, both).next, /strategy restore keeps them/);
    assert.match(judged(settings([AGENT]), AGENT, both).next, /strategy reinstall keeps them/);
    assert.deepEqual(judged(settings([SERVER], ["research/of-*"]), SERVER, both).verdicts, ["pass"]);
    assert.deepEqual(judged(settings(), "proj-k8sm01", both).verdicts, ["pass"]);
  });

  it("wants consent where copies of Longhorn or Ceph may lie on the disk, and says why", () => {
    const volumes = { value: [longhorn] };
    const refused = judged(settings([AGENT]), AGENT, volumes);
    assert.deepEqual(refused.verdicts, ["pass", "fail"]);
    assert.match(refused.next, /an old copy beside newer ones.*research\/copied/);
    assert.deepEqual(judged(settings([AGENT], ["research/copied"]), AGENT, volumes).verdicts, [
      "pass",
      "pass",
    ]);
  });

  it("takes only * where nobody can say which there are, unless that was asked when it began", () => {
    const dead = { missing: "connection refused" };
    const refused = judged(settings(undefined, ["research/*"]), SERVER, dead);
    assert.deepEqual(refused.verdicts, ["not measured"]);
    assert.match(refused.next, /rewindVolumes\[0\]' '\*'/);
    assert.deepEqual(judged(settings(undefined, ["*"]), SERVER, dead).verdicts, ["pass"]);
    assert.deepEqual(judged(settings(), SERVER, dead, true).verdicts, ["pass"]);
  });
});
