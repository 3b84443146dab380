/** scripts/lib-watch.sh in bash itself, its questions answered by functions: what it makes of the values of §4.1. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const scripts = join(__dirname, "../../scripts");
let state: string;
const lines = (all: readonly string[]) => all.map((line) => `${line}\n`).join("");

/**
 * Runs `calm proj-k8sw01` where the API takes `api` ms, etcd `etcd` ms, and these pods ail.
 * @param pods lines of kubectl: `namespace/owner reason node`
 * @param controllers lines of kubectl: kind|namespace/name|replicas wanted|there|available|nodes wanted|there|ReplicaFailure
 */
function calm(
  api: number,
  etcd: number,
  pods: string[] = [],
  before: string[] = [],
  withPending = false,
  controllers: string[] = [],
) {
  writeFileSync(join(state, "sick-before-proj-k8sw01"), lines(before));
  const text = `set -- test
source ${scripts}/lib.sh
source ${scripts}/lib-watch.sh
STATE=${state}
trap - ERR
milliseconds() { case "$*" in *2381*) echo ${etcd} ;; *) echo ${api} ;; esac; }
kube() { case $3 in pods) printf '%s' '${lines(pods)}' ;; *) printf '%s' '${lines(controllers)}' ;; esac; }
API=x
calm proj-k8sw01 ${withPending ? "with-pending" : ""}`;
  const { status, stdout, stderr } = spawnSync("bash", ["-s", "test"], { input: text, encoding: "utf8" });
  assert.equal(stderr, "");
  return { calm: status === 0, said: stdout };
}

describe("scripts/lib-watch.sh", () => {
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "watch-"));
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  it("is calm while the values are as expected", () => {
    assert.deepEqual(calm(400, 20), { calm: true, said: "" });
    assert.ok(calm(1999, 499).calm);
  });

  it("tells the value, the time and the row of the procedure's table", () => {
    const api = calm(2100, 20);
    assert.equal(api.calm, false);
    assert.match(
      api.said,
      /the API took 2100 ms .* at \d\d:\d\d:\d\dZ.*§4\.2 "Control plane pod failures".*kubectl logs/,
    );
    assert.match(calm(40, 800).said, /etcd took 800 ms .* at \d\d:\d\d:\d\dZ.*§4\.2 "etcd quorum lost"/);
  });

  it("minds pods that ail and did not before the turn, by their owner", () => {
    const crash = "lab/api CrashLoopBackOff proj-k8sw02";
    assert.match(
      calm(40, 20, [crash]).said,
      /well before, at .*lab\/api CrashLoopBackOff.*"Workloads fail to reschedule"/,
    );
    assert.ok(calm(40, 20, [crash], ["lab/api CrashLoopBackOff"]).calm, "it ailed before");
    assert.ok(calm(40, 20, ["lab/api CrashLoopBackOff proj-k8sw01"]).calm, "it is on the node in its turn");
    assert.ok(calm(40, 20, ["kube-system/helm-install-x CrashLoopBackOff proj-k8sm01"]).calm, "by design");
  });

  it("minds controllers that get no new pods and did before, and none that only waits", () => {
    const of = (controllers: string[], { before = [] as string[], pods = [] as string[], all = true } = {}) =>
      calm(40, 20, pods, before, all, controllers);
    const refused = "Deployment|lab/web|2|1|1|||True";
    assert.match(of([refused]).said, /well before, at .*lab\/web gets no new pods \(events: FailedCreate\)/);
    assert.ok(of([refused], { before: ["lab/web gets no new pods (events: FailedCreate)"] }).calm);
    assert.equal(of(["StatefulSet|lab/db|3|2|2|||"]).calm, false);
    assert.equal(of(["DaemonSet|lab/agent||||5|4|"]).calm, false);
    for (const fine of [
      "StatefulSet|lab/db|3|2|1|||",
      "StatefulSet|lab/db|0|||||",
      "Deployment|lab/web|2|0||||",
      "Deployment|lab/web|0|||||False",
      "DaemonSet|lab/agent||||5|5|",
    ])
      assert.ok(of([fine]).calm, fine);
    // While the node is cordoned: what waits for it may be the webhook.
    assert.ok(of([refused], { pods: ["lab/hook Pending "], all: false }).calm);
    assert.equal(of([refused], { all: false }).calm, false);
  });

  it("tells of a processor or memory that was waited for through minutes, and of neither else", () => {
    const strain = (cpu: string, memory: string) => {
      for (const [file, avg300] of Object.entries({ cpu, memory }))
        writeFileSync(
          join(state, file),
          `some avg10=99.00 avg60=99.00 avg300=${avg300} total=1\nfull avg10=0.00\n`,
        );
      const text = `set -- test\nsource ${scripts}/lib.sh\nsource ${scripts}/lib-watch.sh\nPRESSURE=${state}\nstrain`;
      return spawnSync("bash", ["-s", "test"], { input: text, encoding: "utf8" }).stdout;
    };
    assert.equal(strain("80.00", "3.00"), "");
    assert.match(
      strain("95.10", "3.00"),
      /waited for a processor 95\.10 % of the last 5 min, at \d\d:\d\d:\d\dZ.*next: /,
    );
    assert.match(strain("80.00", "12.50"), /waited for memory 12\.50 %/);
    rmSync(join(state, "cpu"));
    const gone = `set -- test\nsource ${scripts}/lib.sh\nsource ${scripts}/lib-watch.sh\nPRESSURE=${state}\nstrain; echo went on`;
    assert.equal(spawnSync("bash", ["-s", "test"], { input: gone, encoding: "utf8" }).stdout, "went on\n");
  });

  it("minds pods without a place only where none is cordoned", () => {
    assert.ok(calm(40, 20, ["lab/api Pending "]).calm);
    assert.equal(calm(40, 20, ["lab/api Pending "], [], true).calm, false);
  });
});

describe("scripts/lib-cluster.sh: steadily", () => {
  /** Runs `steadily 60 15` over a condition that is false in these seconds, on a clock that sleeping alone moves. */
  function steadily(falseFrom: number, falseUntil: number) {
    const text = `source ${scripts}/lib.sh
source ${scripts}/lib-cluster.sh
trap - ERR
cd "$(mktemp -d)" && trap "rm -r $PWD" EXIT
echo 0 >clock
date() { case "$*" in +%s) cat clock ;; *) command date "$@" ;; esac; }
sleep() { echo $(($(cat clock) + $1)) >new; mv new clock; }
holds() { local now; now=$(cat clock); [ "$now" -lt ${falseFrom} ] || [ "$now" -ge ${falseUntil} ] || { echo "not so" && return 1; }; }
steadily 60 15 holds || { echo "$LAST"; exit 1; }
cat clock`;
    const { status, stdout } = spawnSync("bash", ["-s", "test"], { input: text, encoding: "utf8" });
    return { status, said: stdout.trim() };
  }

  it("has it stay so, begins anew where it relapses, and tells what is not so in the end", () => {
    assert.deepEqual(steadily(99, 99), { status: 0, said: "16" });
    // Well at first, from before; not for 20 seconds; then for good.
    assert.deepEqual(steadily(3, 23), { status: 0, said: "39" });
    assert.deepEqual(steadily(3, 999), { status: 1, said: "not so" });
  });
});
