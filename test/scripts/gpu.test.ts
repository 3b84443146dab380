/** What a GPU node's own steps keep, want and say: the scripts themselves in bash, kubectl answered by a function over files. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const scripts = join(__dirname, "../../scripts");
const MANIFEST = '{"kind":"Job","args":["\\u0024HOME"]}';

/** As kubectl answers what these steps ask; a Job that is created becomes what the file `outcome` says. */
const KUBE = `kube() {
  shift
  echo "$*" >>"$STATE/asked"
  cd "$STATE"
  case "$*" in
  *rke2-upgrade/working}*kubeletVersion*) echo "$(cat mark)|v2" ;;
  "get node w1"*working*) cat mark ;;
  "get node w1"*cordoned*) cat cordoned ;;
  "get node w1"*nvidia.com/gpu*) cat allocatable ;;
  "get node w1"*kernelVersion*) echo 6.8.0 ;;
  "get pods -A --field-selector"*) cat using ;;
  "get pods -A -o"*) cat owned ;;
  "-n ml apply view-last-applied pod notebook") cat applied ;;
  "-n gpu-operator get pods"*"-o name") echo pod/plugin ;;
  "-n gpu-operator get pods"*) cat operator; [ ! -e later ] || mv later operator ;;
  "get crd"*) cat crd ;;
  "get clusterpolicies"*) cat policies ;;
  "-n "*" get "*replicas*) cat controller ;;
  "-n research get job train"*Failed*) cat failed ;;
  "get nodes"*) cat marks ;;
  "-n default get job gpu-job"*conditions*) cat job ;;
  "-n default get job gpu-job"*change*) [ ! -e job ] || cat owner ;;
  "-n default get job gpu-job"*name) [ ! -e job ] || echo job/gpu-job ;;
  "-n default get pods"*name) : ;;
  "-n default get pods"*exitCode*) echo 1 ;;
  "-n default get pods"*) echo "Pending 0/7 nodes are available" ;;
  "-n default delete job"*) rm -f job ;;
  "create -f "*) cp "$3" made; cp outcome job ;;
  "-n default logs"*) echo "no CUDA device" ;;
  "uncordon w1") echo uncordoned ;;
  "annotate node w1"*) echo "$*" >>annotated ;;
  *) echo "not expected: $*" >&2; return 1 ;;
  esac
}`;

/** Where there is a file `clock`, time passes by sleeping alone. */
const CLOCK = `if [ -e "$STATE/clock" ]; then
  date() { case "$*" in +%s) cat "$STATE/clock" ;; *) command date "$@" ;; esac; }
  sleep() { echo $(($(cat "$STATE/clock") + $1)) >"$STATE/clock.new"; mv "$STATE/clock.new" "$STATE/clock"; }
fi`;

describe("scripts: a GPU node's own steps", () => {
  let state: string;
  const path = (name: string) => join(state, name);
  const put = (name: string, ...rows: string[]) =>
    writeFileSync(path(name), rows.map((row) => `${row}\n`).join(""));
  const read = (name: string) => readFileSync(path(name), "utf8");

  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "gpu-"));
    put("mark", "CR-1");
    put("cordoned", "CR-1");
    put("allocatable", "2");
    put(
      "using",
      "research|train-x|batch/v1|Job|train",
      "ml|notebook|||",
      "ml|ray-0|ray.io/v1|RayCluster|ray",
    );
    put("applied", "kind: Pod");
    put("owned", "research|batch/v1|Job|train|Running");
    put("operator", "plugin Running True");
    put("crd", "customresourcedefinition/clusterpolicies.nvidia.com");
    put("controller", "there|||");
    put("failed");
    put("marks", "w1||||CR-1", "w2||||");
    put("policies", "cluster-policy|ready", "second|ignored");
    put("owner", "there|CR-1");
    put("outcome", "Complete|: Reached expected number of succeeded pods");
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  function step(name: string, libraries: string[], ...args: string[]) {
    const { status, stdout, stderr } = spawnSync("bash", ["-s", name], {
      input: [
        ...["lib", "lib-cluster", ...libraries].map((one) => `source ${scripts}/${one}.sh`),
        `trap - ERR; STATE=${state}; sleep() { command sleep 0.1; }; api_ready() { :; }`,
        CLOCK,
        KUBE,
        `set -- ${args.map((arg) => `'${arg}'`).join(" ")}`,
        `source ${scripts}/${name}.sh`,
      ].join("\n"),
      encoding: "utf8",
    });
    const result = JSON.parse(status === 0 ? (stdout.trim().split("\n").at(-1) ?? "") : "{}");
    return { ok: status === 0, stdout, stderr, result };
  }
  const list = () => step("gpu-before", ["lib-gpu"], "w1", "CR-1");
  const prove = (...job: string[]) =>
    step("gpu-after", ["lib-gpu", "lib-job"], "w1", "gpu-operator", "1", "CR-1", "0", ...job);
  const tested = () => prove("default", "gpu-job", "1", MANIFEST);
  const uncordon = () => step("uncordon", ["lib-gpu"], "w1", "CR-1", "v2", "v1", "", "1");

  describe("gpu-before", () => {
    it("says of each pod that uses a GPU what starts it again", () => {
      const { stdout, result } = list();
      assert.match(stdout, /uses a GPU: research\/train-x: its Job\/train starts it again/);
      assert.match(
        stdout,
        /ml\/notebook: no controller .*: kubectl apply -f .*\/gpu\/CR-1\/w1\.pods\/ml-notebook\.yaml on /,
      );
      assert.match(stdout, /ml\/ray-0: its RayCluster\/ray decides: kubectl -n ml describe RayCluster ray/);
      assert.equal(read("gpu/CR-1/w1.pods/ml-notebook.yaml"), "kind: Pod\n");
      assert.deepEqual([result.allocatable, result.workloads], [2, "research/train-x ml/notebook ml/ray-0"]);
      put("applied");
      rmSync(path("gpu"), { recursive: true });
      assert.match(list().stdout, /ml\/notebook: .*kubectl apply -f the manifest that it was made from/);
    });

    it("keeps what it found first: half-way through its turn a node is drained and offers nothing", () => {
      list();
      put("using");
      put("allocatable", "0");
      assert.equal(list().result.workloads, "research/train-x ml/notebook ml/ray-0");
      assert.equal(read("gpu/CR-1/w1.count"), "2\n");
    });

    it("stops before anything is drained where the node offers no GPU", () => {
      put("allocatable", "0");
      assert.match(
        list().stderr,
        /allocatable on w1 is 0 before its turn, wanted at least 1.*\n\s*next: .*§4\.2 "GPU/,
      );
      assert.ok(!existsSync(path("gpu/CR-1/w1.workloads")));
    });

    it("keeps nothing of a node whose turn is over", () => {
      put("mark", "");
      put("allocatable", "0");
      assert.ok(list().ok);
      assert.ok(!existsSync(path("gpu/CR-1/w1.workloads")));
    });
  });

  describe("gpu-after", () => {
    it("wants as many GPUs as before, the operator's pods and its policy ready", () => {
      list();
      assert.deepEqual([prove().result.allocatable, prove().result.tested], [2, false]);
      put("allocatable", "1");
      assert.match(
        prove().stderr,
        /allocatable on w1 is 1, wanted 2.*\n\s*next: .*its kernel, 6\.8\.0.*§4\.2 "GPU/,
      );
      put("allocatable", "2");
      put("operator", "plugin Running False", "validator Succeeded False");
      assert.match(prove().stderr, /pods of gpu-operator not Ready on w1: plugin \n/);
      put("operator", "plugin Running True");
      for (const [policy, said] of [
        ["cluster-policy|notReady", "cluster-policy is notReady, wanted ready"],
        ["cluster-policy|", "cluster-policy is without a state, wanted ready"],
      ]) {
        put("policies", policy ?? "");
        assert.match(prove().stderr, new RegExp(`ClusterPolicy ${said}`));
      }
    });

    it("takes no first good look for it right after a release: it may be from before", () => {
      const released = () =>
        step("gpu-after", ["lib-gpu", "lib-job"], "w1", "gpu-operator", "30", "CR-1", "15");
      put("clock", "0");
      assert.ok(released().ok);
      put("later", "plugin Running False");
      assert.match(released().stderr, /after 30 s: pods of gpu-operator not Ready on w1: plugin \n/);
    });

    it("waits for no policy while a fellow is in its turn: it is not ready for that one's sake", () => {
      put("policies", "cluster-policy|notReady");
      assert.match(prove().stderr, /ClusterPolicy cluster-policy is notReady/);
      put("marks", "w1||||CR-1", "w2||||CR-1");
      assert.ok(prove().ok);
    });

    it("asks for no policy where the cluster knows none, and takes no silence for one that is ready", () => {
      put("crd");
      put("policies", "cluster-policy|notReady");
      assert.ok(prove().ok);
      rmSync(path("crd"));
      assert.match(prove().stderr, /cannot read the ClusterPolicies/);
    });

    it("runs the job to its end and takes it away, and one that a killed run left before", () => {
      put("job", "");
      const { result } = tested();
      assert.equal(result.tested, true);
      assert.equal(read("made"), `${MANIFEST}\n`);
      assert.ok(!existsSync(path("job")));
      const order = read("asked")
        .split("\n")
        .filter((line) => /delete|create/.test(line));
      assert.deepEqual(
        order.map((line) => line.replace(/ -f.*| job.*/, "")),
        [...["-n default delete", "create", "-n default delete"]],
      );
    });

    it("tells how the job failed, with its log, and leaves it to be looked into", () => {
      put("outcome", "Failed|BackoffLimitExceeded: Job has reached the specified backoff limit");
      const { stderr } = tested();
      assert.match(
        stderr,
        /job default\/gpu-job did not complete within 1 s: Failed BackoffLimitExceeded.*; exit code: 1; its log ends: no CUDA device/,
      );
      assert.match(stderr, /next: kubectl -n default describe job gpu-job;.*run pulumi up again/);
      assert.ok(existsSync(path("job")));
    });

    it("tells what a job waits for that does not end", () => {
      put("outcome", "");
      assert.match(tested().stderr, /did not complete within 1 s: Pending 0\/7 nodes are available/);
    });

    it("takes away no job that is not ours, and runs none on a node whose turn is over", () => {
      put("job", "");
      put("owner", "there|");
      assert.match(tested().stderr, /job default\/gpu-job is there and not this change's/);
      assert.ok(existsSync(path("job")) && !existsSync(path("made")));
      put("mark", "");
      assert.equal(tested().result.tested, false);
    });
  });

  describe("uncordon", () => {
    const marksTaken = () => read("annotated").includes("working-");

    it("ends the turn when what restarts by itself runs again, and says what does not", () => {
      list();
      const { result, stdout } = uncordon();
      assert.equal(result.uncordoned, true);
      assert.match(stdout, /used a GPU before: ml\/notebook: no controller/);
      assert.ok(marksTaken());
      assert.ok(!existsSync(path("gpu/CR-1/w1.workloads")));
      assert.ok(existsSync(path("gpu/CR-1/w1.pods/ml-notebook.yaml")));
    });

    it("stops, the node uncordoned and in its turn, while fewer pods of one run than did here", () => {
      list();
      for (const pods of [
        ["research|batch/v1|Job|train|Pending"],
        // Another's of the same name.
        ["research|batch.volcano.sh/v1|Job|train|Running"],
      ]) {
        put("owned", ...pods);
        assert.match(
          uncordon().stderr,
          /does not run again: research Job\/train \(\d running, \d pending, wanted 1\)\n\s*next: .*delete the job.*uncordoned/,
        );
      }
      assert.ok(!marksTaken());
      // One that waited before too, or waits for the GPU of a fellow.
      put("owned", "research|batch/v1|Job|train|Running", "research|batch/v1|Job|train|Pending");
      assert.ok(uncordon().ok);
    });

    it("tells of a job that has failed meanwhile, and does not wait for it", () => {
      list();
      put("owned");
      put("controller", "there||||True");
      put("failed", "True");
      const { ok, stdout } = uncordon();
      assert.ok(ok);
      assert.match(
        stdout,
        /research\/train-x: its Job\/train has failed: kubectl -n research describe job train/,
      );
    });

    it("misses nothing of a controller that is gone, done, suspended or scaled to nothing", () => {
      put("owned");
      for (const controller of [[], ["there|0||"], ["there||true|"], ["there|||2026-11-29T10:00:00Z"]]) {
        list();
        put("controller", ...controller);
        assert.ok(uncordon().ok, controller.join());
      }
      list();
      rmSync(path("controller"));
      assert.match(uncordon().stderr, /does not run again: .*research Job/s);
    });

    it("has a server keep its mark", () => {
      const { ok } = step("uncordon", ["lib-gpu"], "w1", "CR-1", "v2", "v1", "in-its-turn");
      assert.ok(ok && !marksTaken());
    });
  });
});
