/** Procedure §4.2: a finding that does not hold names the row of the troubleshooting table that fits it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { judge } from "../../observe";
import type { ClusterFacts } from "../../observe/cluster";
import type { Facts } from "../../observe/facts";
import { ROWS } from "../../observe/rows";
import { clusterNode, facts, healthyCluster, healthyServer, OWNER, pod, settings, withEtcd } from "./facts";

const ofCluster = (cluster: Partial<ClusterFacts>) => facts({ cluster });
const down = clusterNode("proj-k8sw02", { status: { conditions: [{ type: "Ready", status: "False" }] } });
const budget = {
  metadata: { namespace: "lab", name: "budget" },
  status: { currentHealthy: 0, desiredHealthy: 1 } as never,
};
const refused = { pods: [pod("web", "proj-k8sw01")], refusedEvictions: [{ pod: "lab/web", reason: "429" }] };
const writes = (fsyncMs: number) =>
  facts({ node: ["proj-k8sm02", { server: { ...healthyServer, fsyncMs } }] });
const ready = (value: number) =>
  facts({ node: ["proj-k8sm02", { server: { ...healthyServer, ready: { value } } }] });

const WRONG: readonly [check: string, row: keyof typeof ROWS, seen: Facts][] = [
  [
    "cluster: nodes Ready",
    "join",
    ofCluster({
      nodes: healthyCluster.nodes.map((one) => (one.metadata?.name === "proj-k8sw02" ? down : one)),
    }),
  ],
  ["cluster: leases renewed", "join", ofCluster({ leases: healthyCluster.leases.slice(1) })],
  ["cluster: the API answers", "controlPlane", ready(2500)],
  ["cluster: the API answers", "controlPlane", ready(700)],
  ["cluster: budgets met", "reschedule", ofCluster({ budgets: [budget] })],
  ["proj-k8sw01: budgets let it be drained", "reschedule", ofCluster(refused)],
  ["etcd: whole", "quorum", withEtcd("proj-k8sm02", { leader: "0" })],
  ["etcd: writes to its log", "quorum", writes(500)],
  ["etcd: writes to its log", "quorum", writes(120)],
];

describe("observe/rows", () => {
  for (const [check, row, seen] of WRONG)
    it(`is named by a finding that does not hold: ${check}, ${row}`, () => {
      const found = judge(settings, seen, OWNER).find((one) => one.check === check);
      assert.ok(found && found.verdict !== "pass", JSON.stringify(found));
      assert.ok(found.next?.endsWith(ROWS[row]), found.next);
    });

  it("has every row of the steps' own table, under the same name", () => {
    const steps = readFileSync(join(__dirname, "../../scripts/lib.sh"), "utf8");
    const titles = [...steps.matchAll(/echo '§4\.2 ("[^"]+"):/g)].map(([, title]) => title);
    assert.deepEqual(
      Object.values(ROWS).map((row) => /"[^"]+"/.exec(row)?.[0]),
      titles,
    );
  });
});
