/** The scripts that read Helm releases against real ones, with the cluster's own kubectl. No controller runs: the test plays it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppsV1Api, KubeConfig } from "@kubernetes/client-node";
import { parseReleases } from "../../observe/releases";
import { packChart } from "../../rehearsal/charts/packed";
import { bareText, stepText } from "../../scripts";
import { built, KubernetesApi } from "./kubernetesApi";
import { ProviderUnderTest } from "./providerUnderTest";
import { binary } from "./toolchain";

const VERSION = "v26.7.1";
const POLICY = ["clusterpolicies.nvidia.com/cluster-policy", ".spec.driver.version"];

describe("scripts/operator-ready.sh and look-releases.sh on real releases", function () {
  this.timeout(30_000);
  const api = new KubernetesApi();
  const folder = mkdtempSync(join(tmpdir(), "contract-ready-"));
  const own = (name: string) => join(api.directory, name);
  let plugin: ProviderUnderTest;

  before(async function () {
    this.timeout(30 * 60_000);
    await api.start();
    mkdirSync(own("rke2/bin"), { recursive: true });
    symlinkSync(join(built().kubernetes, "kubectl"), own("rke2/bin/kubectl"));
    writeFileSync(own("kubeconfig.yaml"), api.kubeconfig());
    plugin = await ProviderUnderTest.start(binary("KUBERNETES_PLUGIN", "pulumi-resource-kubernetes"));
    await plugin.configure({ kubeconfig: api.kubeconfig() });
    const release = "kubernetes:helm.sh/v3:Release";
    const { inputs } = await plugin.check(release, {
      ...{ name: "gpu-operator", namespace: "gpu", chart: packChart("gpu-operator", VERSION, folder) },
      ...{ createNamespace: true, skipAwait: true },
    });
    await plugin.create(release, inputs);
  });

  after(async () => {
    await plugin?.stop();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a script as on a server, whose places are here. */
  function run(text: string, ...args: string[]): { code: number | null; stdout: string; stderr: string } {
    const { port } = new URL(JSON.parse(api.kubeconfig()).clusters[0].cluster.server);
    const input = text
      .replace("RKE2_DATA=/var/lib/rancher/rke2", `RKE2_DATA=${own("rke2")}`)
      .replace("KUBECONFIG_FILE=/etc/rancher/rke2/rke2.yaml", `KUBECONFIG_FILE=${own("kubeconfig.yaml")}`)
      .replaceAll(":6443", `:${port}`);
    const { status, stdout, stderr } = spawnSync("bash", ["-s", "--", ...args], { input, encoding: "utf8" });
    return { code: status, stdout, stderr };
  }

  /** The step without its envelope, and without the question whether the API is ready, which wants a server's files. */
  const whole = stepText("operator-ready");
  const ready = (version: string, ...conditions: string[]) =>
    run(
      whole.slice(whole.indexOf("# What every step shares")).replace("\napi_ready\n", "\n"),
      ...["operator-ready", "gpu", "gpu-operator", version, "1", ...conditions],
    );

  it("reads the release's version, and nothing of one that is not there", () => {
    const { stdout, stderr } = run(
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

  it("reads the last revision that was replaced, and no other", () => {
    const look = bareText("look-releases");
    const start = look.lastIndexOf("for release in");
    const revisions = ["1\tsuperseded\ta", "9\tsuperseded\tb", "11\tpending-upgrade\tc", "10\tdeployed\td"];
    const kube = `kube() { printf '%s\\n' ${revisions.map((row) => `'${row}'`).join(" ")}; }\n`;
    const { stdout } = run(`${kube}${look.slice(start)}`, "gpu/gpu-operator");
    assert.equal(stdout, "gpu/gpu-operator\t11\tpending-upgrade\tc\t9\n");
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
