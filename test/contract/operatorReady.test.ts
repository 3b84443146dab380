/** The scripts that read Helm releases against real ones, with the cluster's own kubectl. No controller runs: the test plays it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppsV1Api, KubeConfig } from "@kubernetes/client-node";
import { parseReleases } from "../../observe/releases";
import { bareText, stepText } from "../../scripts";
import { AsOnServer } from "./asOnServer";
import { installChart } from "./chartInstalled";
import { KubernetesApi } from "./kubernetesApi";
import type { ProviderUnderTest } from "./providerUnderTest";

const VERSION = "v26.7.1";
const POLICY = ["clusterpolicies.nvidia.com/cluster-policy", ".spec.driver.version"];

describe("scripts/operator-ready.sh and look-releases.sh on real releases", function () {
  this.timeout(30_000);
  const api = new KubernetesApi();
  const folder = mkdtempSync(join(tmpdir(), "contract-ready-"));
  let server: AsOnServer;
  let plugin: ProviderUnderTest;

  before(async function () {
    this.timeout(30 * 60_000);
    await api.start();
    server = new AsOnServer(api);
    plugin = await installChart(api, { name: "gpu-operator", namespace: "gpu", version: VERSION }, folder);
  });

  after(async () => {
    await plugin?.stop();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const ready = (version: string, ...conditions: string[]) =>
    server.step(
      stepText("operator-ready"),
      ...["operator-ready", "gpu", "gpu-operator", version, "1", ...conditions],
    );

  it("reads the release's version, and nothing of one that is not there", () => {
    const { stdout, stderr } = server.run(
      bareText("look-releases"),
      "look-releases",
      "gpu/gpu-operator",
      "gpu/none",
    );
    assert.equal(stderr, "");
    assert.deepEqual(
      parseReleases(stdout),
      new Map([
        ["gpu/gpu-operator", { revision: 1, status: "deployed", chart: "gpu-operator", version: VERSION }],
      ]),
    );
  });

  it("reads the last revision that was replaced, and no other, and where the last has failed the one that is deployed", () => {
    const look = bareText("look-releases");
    const start = look.lastIndexOf("for release in");
    const read = (...revisions: string[]) => {
      const kube = `kube() { printf '%s\\n' ${revisions.map((row) => `'${row}'`).join(" ")}; }\n`;
      return server.run(`${kube}${look.slice(start)}`, "gpu/gpu-operator").stdout;
    };
    const before = ["1\tsuperseded\ta", "9\tsuperseded\tb", "10\tdeployed\td"];
    assert.equal(read(...before, "11\tpending-upgrade\tc"), "gpu/gpu-operator\t11\tpending-upgrade\tc\t9\n");
    assert.equal(read(...before, "11\tfailed\tc"), "gpu/gpu-operator\t11\tfailed\tc\t9\t10\td\n");
    assert.equal(read("1\tfailed\ta"), "gpu/gpu-operator\t1\tfailed\ta\t0\n");
  });

  it("waits for the rollout, and says what is not", () => {
    const { code, stderr } = ready(VERSION);
    assert.equal(code, 1);
    assert.match(stderr, /not rolled out: Deployment gpu\/gpu-operator: 0 of 1 updated, 0 available/);
    assert.match(stderr, /next: .*helm -n gpu rollback gpu-operator/);
  });

  it("is content with what is deployed, rolled out and well, and tells the version", async () => {
    const config = new KubeConfig();
    config.loadFromString(api.kubeconfig());
    const apps = config.makeApiClient(AppsV1Api);
    const where = { name: "gpu-operator", namespace: "gpu" };
    const body = await apps.readNamespacedDeployment(where);
    const count = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
    body.status = { observedGeneration: body.metadata?.generation, ...count };
    await apps.replaceNamespacedDeploymentStatus({ ...where, body });
    const { code, stdout, stderr } = ready(VERSION, ...POLICY, "595.71.05");
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout.trim().split("\n").at(-1) ?? "").chart, VERSION);
  });

  it("refuses another version, a condition that does not hold, an object and a release that are not there", () => {
    assert.match(ready("v26.8.0").stderr, /has the chart's version v26\.7\.1, wanted v26\.8\.0/);
    assert.match(
      ready(VERSION, ...POLICY, "600").stderr,
      /\.spec\.driver\.version is 595\.71\.05, wanted 600/,
    );
    assert.match(
      ready(VERSION, POLICY[0] ?? "", ".status.state", "ready").stderr,
      /\.status\.state is not there/,
    );
    assert.match(ready(VERSION, "clusterpolicies.nvidia.com/other", ".a", "b").stderr, /other.* not found/);
  });
});
