/** A GPU node's own steps with the cluster's own kubectl on a real API. No kubelet and no Job controller runs: the test plays them. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { gpuJob } from "../../components/gpuJob";
import { parseSettings } from "../../config";
import { until } from "../../rehearsal/machines/poll";
import { type StepScript, stepText } from "../../scripts";
import { lab } from "../config/lab";
import { built, KubernetesApi } from "./kubernetesApi";

const NODE = "proj-k8sw04";
const CHANGE = "CR-2026-041";

const container = { name: "a", image: "a:1", resources: { limits: { "nvidia.com/gpu": "1" } } };
const pod = (name: string, owner?: object) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    namespace: "default",
    ...(owner ? { ownerReferences: [{ name: "o", uid: "1", controller: true, ...owner }] } : {}),
  },
  spec: { nodeName: NODE, containers: [container] },
});

describe("scripts/gpu-before.sh, gpu-after.sh and uncordon.sh on a real API", function () {
  this.timeout(60_000);
  const api = new KubernetesApi();
  const own = (name: string) => join(api.directory, name);
  let client: string[];

  const kubectl = (args: string[], input?: object) =>
    execFileSync(join(built().kubernetes, "kubectl"), [...client, ...args], {
      input: input ? JSON.stringify(input) : "",
      stdio: "pipe",
      encoding: "utf8",
    });
  const apply = (object: object) => kubectl(["apply", "-f", "-"], object);
  const status = (what: string, of: object) =>
    kubectl([
      "patch",
      ...what.split(" "),
      "--subresource=status",
      "--type=merge",
      "-p",
      JSON.stringify({ status: of }),
    ]);

  before(async function () {
    this.timeout(30 * 60_000);
    await api.start();
    mkdirSync(own("rke2/bin"), { recursive: true });
    mkdirSync(own("state"));
    symlinkSync(join(built().kubernetes, "kubectl"), own("rke2/bin/kubectl"));
    writeFileSync(own("kubeconfig.yaml"), api.kubeconfig());
    client = ["--kubeconfig", own("kubeconfig.yaml")];
    const annotations = { "rke2-upgrade/working": CHANGE, "rke2-upgrade/cordoned": CHANGE };
    apply({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: NODE, annotations },
      spec: { unschedulable: true },
    });
    status(`node ${NODE}`, { capacity: { "nvidia.com/gpu": "2" }, allocatable: { "nvidia.com/gpu": "2" } });
    apply(pod("notebook"));
    kubectl(["create", "-f", "-"], pod("by-hand"));
    apply(pod("train", { apiVersion: "batch/v1", kind: "Job" }));
    apply(pod("ray", { apiVersion: "ray.io/v1", kind: "RayCluster" }));
    for (const name of ["notebook", "by-hand", "train", "ray"]) status(`pod ${name}`, { phase: "Running" });
    apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "gpu-operator" } });
    const plugin = { nodeName: NODE, containers: [{ name: "a", image: "a:1" }] };
    apply({ ...pod(""), metadata: { name: "plugin", namespace: "gpu-operator" }, spec: plugin });
    status("pod plugin -n gpu-operator", {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
    });
  });

  after(() => api.stop());

  /** Runs a step as on a server, whose places are here. */
  function run(script: StepScript, ...args: (string | number)[]) {
    const { port } = new URL(JSON.parse(api.kubeconfig()).clusters[0].cluster.server);
    const whole = stepText(script);
    const input = whole
      .slice(whole.indexOf("# What every step shares"))
      .replace("\napi_ready\n", "\n")
      .replace("STATE=/var/lib/rke2-upgrade", `STATE=${own("state")}`)
      .replace("RKE2_DATA=/var/lib/rancher/rke2", `RKE2_DATA=${own("rke2")}`)
      .replace("KUBECONFIG_FILE=/etc/rancher/rke2/rke2.yaml", `KUBECONFIG_FILE=${own("kubeconfig.yaml")}`)
      .replaceAll(":6443", `:${port}`);
    return new Promise<{ code: number | null; output: string }>((resolve) => {
      const child = spawn("bash", ["-s", "--", script, ...args.map(String)]);
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (data: Buffer) => {
          output += data.toString();
        });
      child.on("close", (code) => resolve({ code, output }));
      child.stdin.end(input);
    });
  }

  it("lists what uses the GPU with what starts it again, and keeps what was applied", async () => {
    const { code, output } = await run("gpu-before", NODE, CHANGE);
    assert.equal(code, 0, output);
    const kept = own(`state/gpu/${CHANGE}/${NODE}.pods/default-notebook.yaml`);
    for (const line of [
      "uses a GPU: default/train: its Job/o starts it again",
      `uses a GPU: default/notebook: no controller starts it again: kubectl apply -f ${kept} on ${hostname()}`,
      "uses a GPU: default/by-hand: no controller starts it again: kubectl apply -f the manifest that it was made from",
      "uses a GPU: default/ray: its RayCluster/o decides: kubectl -n default describe RayCluster o",
    ])
      assert.ok(output.includes(line), `${line}\n${output}`);
    assert.match(
      output,
      /"allocatable":2,"workloads":"default\/by-hand default\/notebook default\/ray default\/train"/,
    );
    // It starts that pod again, as it says.
    kubectl(["delete", "pod", "notebook", "--grace-period=0", "--force"]);
    assert.match(kubectl(["apply", "-f", kept]), /pod\/notebook created/);
    assert.match(readFileSync(kept, "utf8"), /nvidia\.com\/gpu/);
  });

  it("wants the policy ready where the cluster knows one", async () => {
    const ask = () => run("gpu-after", NODE, "gpu-operator", 1, CHANGE, 0);
    assert.match((await ask()).output, /"allocatable":2,"tested":false/);
    for (const file of ["50-gpu-operator", "55-cluster-policy"]) {
      const path = join(__dirname, `../../rehearsal/workloads/${file}.yaml`);
      kubectl(["apply", "-f", path]);
      if (file.startsWith("50"))
        kubectl(["wait", "--for=condition=Established", "crd/clusterpolicies.nvidia.com", "--timeout=20s"]);
    }
    const ready = await ask();
    assert.equal(ready.code, 0, ready.output);
    status("clusterpolicies.nvidia.com cluster-policy", { state: "notReady" });
    assert.match(
      (await ask()).output,
      /after 1 s: ClusterPolicy cluster-policy is notReady, wanted ready\n {2}next: /,
    );
    status("clusterpolicies.nvidia.com cluster-policy", { state: "ready" });
  });

  const settings = parseSettings(
    lab({ gpuTest: { image: "cuda:1", command: ["echo", "$A %b"], timeoutSeconds: 5 } }),
  );
  const [node] = settings.agents.filter(({ gpu }) => gpu);
  assert.ok(node);
  const { namespace, name, manifest } = gpuJob(settings, node);
  const ask = () => run("gpu-after", NODE, "gpu-operator", 1, CHANGE, 0, namespace, name, 5, manifest);
  const job = () => kubectl(["get", "job", name, "--ignore-not-found", "-o", "json"]);
  const times = { startTime: "2026-01-01T00:00:00Z" };

  const made = () => until("the job to be made", 20, async () => job() || undefined);

  /** Ends the Job as its controller would, once it is there. */
  async function ends(
    condition: { type: "Complete" | "Failed"; reason?: string },
    more: object = {},
  ): Promise<void> {
    await made();
    const one = {
      status: "True",
      lastTransitionTime: times.startTime,
      reason: "r",
      message: "m",
      ...condition,
    };
    const before = {
      ...one,
      type: { Complete: "SuccessCriteriaMet", Failed: "FailureTarget" }[String(one.type)],
    };
    status(`job ${name}`, { ...times, ...more, conditions: [before, one] });
  }

  it("makes the job as it was given, sees it end and takes it away", async () => {
    const running = ask();
    const { spec } = JSON.parse(await made());
    assert.deepEqual(spec.template.spec.containers[0].command, ["echo", "$A %b"]);
    await ends(
      { type: "Complete" },
      { completionTime: "2026-01-01T00:01:00Z", succeeded: 1, uncountedTerminatedPods: {} },
    );
    const { code, output } = await running;
    assert.equal(code, 0, output);
    assert.match(output, /"tested":true/);
    assert.equal(job(), "");
  });

  it("tells that the job failed, and takes the failed one away when it is asked again", async () => {
    const first = ask();
    await ends(
      { type: "Failed", reason: "BackoffLimitExceeded" },
      { failed: 1, uncountedTerminatedPods: {} },
    );
    assert.match(
      (await first).output,
      new RegExp(`job default/${name} did not complete within 5 s: Failed BackoffLimitExceeded: m;`),
    );
    const failed = JSON.parse(job()).metadata.uid;
    const { output } = await ask();
    assert.match(output, /did not complete within 5 s/);
    assert.notEqual(JSON.parse(job()).metadata.uid, failed);
  });

  it("leaves a job alone that is not ours", async () => {
    kubectl(["annotate", "job", name, "rke2-upgrade/change-"]);
    assert.match((await ask()).output, /is there and not this change's/);
    assert.notEqual(job(), "");
  });

  it("sees what restarts by itself run again before the turn ends", async () => {
    const ask = () => run("uncordon", NODE, CHANGE, "v1", "v0", "", 1);
    status("pod train", { phase: "Pending" });
    // Its controller is not there: it wants none.
    const gone = await ask();
    assert.equal(gone.code, 0, gone.output);
    assert.match(gone.output, /used a GPU before: default\/ray: its RayCluster/);
    const { metadata, spec } = JSON.parse(kubectl(["get", "node", NODE, "-o", "json"]));
    assert.deepEqual(
      [metadata.annotations?.["rke2-upgrade/working"], spec.unschedulable],
      [undefined, undefined],
    );
  });
});
