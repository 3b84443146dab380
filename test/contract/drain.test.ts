/** What drain.sh sees of the pods that it would evict, by its own template in a real kubectl, from a real API server. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { built, KubernetesApi } from "./kubernetesApi";

const drain = readFileSync(join(__dirname, "../../scripts/drain.sh"), "utf8");
const TEMPLATE = /pods_to_evict\(\) \{\n.*go-template='(.*)'\n/.exec(drain)?.[1] ?? assert.fail("not there");
const NODE = "proj-k8sw01";

describe("scripts/drain.sh on a real API server", function () {
  this.timeout(300_000);
  const api = new KubernetesApi();
  const kubectl = (args: readonly string[], input = "") =>
    execFileSync(
      join(built().kubernetes, "kubectl"),
      ["--kubeconfig", join(api.directory, "drain.yaml"), ...args],
      { input, encoding: "utf8" },
    );
  before(async () => {
    await api.start();
    writeFileSync(join(api.directory, "drain.yaml"), api.kubeconfig());
  });
  after(() => api.stop());

  it("tells which pods hold an emptyDir, the usual empty one too, who brings them back, and their grace", () => {
    const pod = (name: string, volumes: object[], more: object = {}) => ({
      ...{ apiVersion: "v1", kind: "Pod" },
      metadata: { namespace: "default", name, labels: { app: name }, ...more },
      spec: {
        ...{ nodeName: NODE, automountServiceAccountToken: false, volumes, terminationGracePeriodSeconds: 7 },
        containers: [{ name: "c", image: "busybox" }],
      },
    });
    const owner = { apiVersion: "apps/v1", name: "x", uid: "1", controller: true };
    const ownedBy = (kind: string) => ({ ownerReferences: [{ ...owner, kind }] });
    const items = [
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace: "default", name: "default" } },
      pod("plain", [{ name: "a", emptyDir: {} }]),
      pod("sized", [{ name: "a", emptyDir: { sizeLimit: "1Gi" } }], ownedBy("ReplicaSet")),
      pod("none", [{ name: "a", configMap: { name: "b", optional: true } }]),
      pod("daemon", [{ name: "a", emptyDir: {} }], ownedBy("DaemonSet")),
    ];
    kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const said = kubectl([
      ...["get", "pods", "-A", "--field-selector", `spec.nodeName=${NODE}`],
      `--output=go-template=${TEMPLATE}`,
    ]);
    assert.deepEqual(said.trim().split("\n").sort(), [
      "default/none||false|7|app=none,",
      "default/plain||true|7|app=plain,",
      "default/sized|ReplicaSet|true|7|app=sized,",
    ]);
  });
});
