/**
 * One upgrade of the whole lab on the real engine, with faults chained through it, judged from the outside. The tests
 * are one story and run in order: each begins where the one before ended.
 */
import assert from "node:assert/strict";
import { readdir, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { snapshotName } from "../../config";
import { checksCost, describeSpent, timed, type Upgrade } from "../../rehearsal/cli/results";
import { checkpoint } from "../../rehearsal/lab/checkpoint";
import { setFault } from "../../rehearsal/lab/faults";
import { operator } from "../../rehearsal/lab/operator";
import { until } from "../../rehearsal/machines/poll";
import * as back from "./back";
import { identities, info, proxmox, restarts, type Span, snapshots, versions } from "./history";
import { cancel, configure, killAll, kubectl, ok, onNode, run, startUp, UP, up } from "./operator";
import { findNoSecret, plantMarker } from "./secrets";
import { diagnostics, printed, type Sample, watch } from "./watch";

const FROM = "v1.35.4+rke2r1";
const TO = "v1.36.3+rke2r1";
const SERVERS = ["proj-k8sm01", "proj-k8sm02", "proj-k8sm03"];
/** As the way back is named: the accepted version and the change. */
const SNAPSHOT = snapshotName(FROM, "CR-2026-041");
const AGENTS = ["proj-k8sw01", "proj-k8sw02", "proj-k8sw03", "proj-k8sw04"];

/** `up` must stop, name the cause and the next move, and leave every later node as it was. */
async function stopsWith(pattern: RegExp, untouched: readonly string[]): Promise<void> {
  const { code, output } = await up();
  assert.notEqual(code, 0, `it did not stop:\n${output}`);
  assert.ok(pattern.test(output), `did not say ${pattern}:\n${diagnostics(output)}`);
  assert.match(output, /next: /);
  const now = await versions();
  for (const node of untouched) assert.equal(now[node], FROM, `${node} was touched`);
}

/** Runs `up` with a fault on, sees it stop, and takes the fault away. */
async function withFault(fault: string[], pattern: RegExp, untouched: readonly string[]): Promise<void> {
  await setFault([...fault, "on"]);
  try {
    await stopsWith(pattern, untouched);
  } finally {
    await setFault([...fault, "off"]);
  }
}

describe("an upgrade of the lab", function () {
  this.timeout(25 * 60_000);
  this.bail(true);

  let began = new Date();

  before(async () => {
    began = new Date();
    await plantMarker();
    await back.write("before");
    // The soak is a wait of a set length: shorter here, so that the story fits into a test run.
    await configure({
      ...{ "limits.soakServerSeconds": "5", "limits.soakAgentSeconds": "5" },
      // The shortest there is, so that a run which takes minutes has several backups.
      "objectives.rpoMinutes": "1",
    });
    // As RKE2's `profile: cis` has it in every namespace but its own.
    await ok("kubectl", "label", "namespace", "default", "pod-security.kubernetes.io/enforce=restricted");
    watching = watch();
  });

  // Also where the story broke off: a watch that nobody ends keeps the run alive.
  after(() => watching?.stop());

  /** When a node was made sick on purpose, and its pods with it. */
  const sick = { from: 0, to: 0 };
  let samples: Sample[] = [];
  /** The run that finished. */
  let last: Upgrade | undefined;
  let watching: ReturnType<typeof watch> | undefined;

  it("adopts the cluster and touches no node", async () => {
    const before = await identities();
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.deepEqual(await identities(), before);
    assert.deepEqual(await snapshots(), []);
  });

  it("changes nothing when it is run again", async () => {
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /\d+ (created|updated|replaced|deleted)/);
  });

  it("refuses both versions at once, and a jump over a minor", async () => {
    await configure({ rke2Version: TO, acceptedVersion: TO });
    const both = await run(["pulumi", "preview", "--non-interactive", "--color=never"]);
    assert.notEqual(both.code, 0);
    assert.match(both.output, /without a way back/);
    await configure({ rke2Version: "v1.37.0+rke2r1", acceptedVersion: FROM });
    const jump = await run(["pulumi", "preview", "--non-interactive", "--color=never"]);
    assert.notEqual(jump.code, 0);
    assert.match(jump.output, /one minor at a time/);
  });

  it("shows in preview every node, from which version to which, and what will run", async () => {
    await configure({ rke2Version: TO, acceptedVersion: FROM });
    const before = await identities();
    const { code, output } = await run(["pulumi", "preview", "--non-interactive", "--color=never"]);
    assert.equal(code, 0, output);
    for (const node of [...SERVERS, ...AGENTS]) {
      assert.ok(output.includes(`${node}: ${FROM} → ${TO}`), `${node} is not announced:\n${output}`);
      assert.match(output, new RegExp(`\\d+\\. ${node}: install ${TO.replace("+", "\\+")}`));
    }
    assert.doesNotMatch(output, /FAIL|NOT MEASURED/);
    assert.deepEqual(await identities(), before);
  });

  it("stops before anything when the install server answers 500, a VM is locked, or a snapshot fails", async () => {
    const all = [...SERVERS, ...AGENTS];
    await configure({ "limits.snapshotSeconds": "20" });
    await withFault(["install-500"], /cannot fetch .*500/s, all);
    await withFault(["vm-locked", "3002"], /VM 3002.* is locked \(backup\)/, all);
    await configure({ "limits.snapshotSeconds": "600" });
  });

  it("lets a bump that touched no node be withdrawn, and leaves nothing of it", async () => {
    const before = await identities();
    assert.deepEqual(await snapshots(), [`3001/${SNAPSHOT}`]);
    await configure({ rke2Version: FROM });
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.deepEqual(await identities(), before);
    assert.deepEqual(await snapshots(), []);
    await findNoLock();
    await configure({ rke2Version: TO });
  });

  it("joins a stale snapshot by a newer one while its node is untouched", async () => {
    const fails = ["task-fails", "qmsnapshot", "3003"];
    await withFault(fails, /VM 3003: /, [...SERVERS, ...AGENTS]);
    await setFault(["snapshots-old", "3001", "on"]);
    try {
      await withFault(fails, /VM 3003: /, [...SERVERS, ...AGENTS]);
    } finally {
      await setFault(["snapshots-old", "3001", "off"]);
    }
    assert.deepEqual(await snapshots(), [`3001/${SNAPSHOT}`, `3001/${SNAPSHOT}-2`, `3002/${SNAPSHOT}`]);
  });

  it("stops at a server whose service does not start, and names the cause from its journal", async () => {
    await configure({ "limits.serviceStartSeconds": "90" });
    await withFault(
      ["service-fails", "proj-k8sm02"],
      /rke2-server\.service does not come up on v1\.36\.3.*criteria for going back: .*If it must go back/s,
      ["proj-k8sm03", ...AGENTS],
    );
    await configure({ "limits.serviceStartSeconds": "600" });
    assert.equal((await versions())["proj-k8sm01"], TO);
  });

  it("asks every gate's questions again: another node's sickness holds the rerun", async () => {
    await onNode(
      "proj-k8sw03",
      "sudo systemctl kill -s STOP rke2-agent; sudo pkill -STOP -x kubelet || true",
    );
    sick.from = Date.now();
    try {
      await untilReady("proj-k8sw03", false);
      await stopsWith(/not Ready: proj-k8sw03/, ["proj-k8sm03", ...AGENTS]);
    } finally {
      await onNode(
        "proj-k8sw03",
        "sudo pkill -CONT -x kubelet || true; sudo systemctl kill -s CONT rke2-agent",
      );
      await untilReady("proj-k8sw03", true);
      await ok("kubectl", "-n", "research", "rollout", "status", "deployment/observations", "--timeout=120s");
      sick.to = Date.now();
    }
  });

  it("goes on after the engine was killed in the middle of a server's restart", async () => {
    // Meanwhile the snapshots of an upgraded server and of an agent grow stale, and so does the etcd snapshot.
    const aged = [3001, 3004];
    for (const vmId of aged) await setFault(["snapshots-old", String(vmId), "on"]);
    const backups = await etcdBackups();
    const taken = await Promise.all(backups.map(async (file) => (await stat(file)).mtime));
    for (const file of backups) await utimes(file, new Date(0), new Date(0));
    const running = await startUp();
    await printed(running, /restarting rke2-server/, 15);
    killAll(running, "SIGKILL");
    await running.ended;
    await cancel();
    for (const vmId of aged) await setFault(["snapshots-old", String(vmId), "off"]);
    const kept = await snapshots();
    assert.ok(
      kept.includes(`3004/${SNAPSHOT}-2`),
      "an untouched agent's stale snapshot was not joined by a newer one",
    );
    assert.ok(
      !kept.includes(`3001/${SNAPSHOT}-3`),
      "an upgraded server was snapshotted as if it were the way back",
    );
    assert.deepEqual(
      await etcdBackups(),
      backups,
      "an etcd snapshot was taken between two versions as the way back",
    );
    for (const [i, file] of backups.entries()) await utimes(file, taken[i] ?? 0, taken[i] ?? 0);
  });

  it("holds an agent's turn while a budget would block its drain: not even cordoned", async () => {
    await withFault(["pdb-blocks"], /proj-k8sw01 was not touched: .*research\/observations/s, AGENTS);
    const node = await kubectl<{ spec: { unschedulable?: boolean } }>("get", "node", "proj-k8sw01");
    assert.ok(!node.spec.unschedulable);
  });

  it("stops at a budget that blocks the drain itself, the agent cordoned and marked as ours", async () => {
    await configure({ "drain.timeoutSeconds": "40", "drain.graceSeconds": "30" });
    const running = await startUp();
    // Its turn's gate has passed: from here on only the drain asks the budget.
    await printed(running, /proj-k8sw01-gate-cluster.* creat/, 15);
    await setFault(["pdb-blocks", "on"]);
    try {
      const { code, output } = await running.ended;
      assert.notEqual(code, 0, output);
      assert.match(output, /proj-k8sw01 is not drained.*research\/observations.*next: .*§4\.2/s);
    } finally {
      await setFault(["pdb-blocks", "off"]);
    }
    const node = await kubectl<{
      spec: { unschedulable?: boolean };
      metadata: { annotations: Record<string, string> };
    }>("get", "node", "proj-k8sw01");
    assert.equal(node.spec.unschedulable, true);
    assert.ok(node.metadata.annotations["rke2-upgrade/cordoned"]);
    await configure({ "drain.timeoutSeconds": "300", "drain.graceSeconds": "120" });
  });

  it("stops where somebody has uncordoned the agent in its turn", async () => {
    await ok("kubectl", "uncordon", "proj-k8sw01");
    try {
      await stopsWith(/in their turn are cordoned: uncordoned by somebody: proj-k8sw01/, AGENTS);
    } finally {
      await ok("kubectl", "cordon", "proj-k8sw01");
    }
  });

  it("stops where SSH is refused", async () => {
    await withFault(["ssh-refused", "proj-k8sw02"], /proj-k8sw02.*(ECONNREFUSED|refused)/s, AGENTS);
  });

  it("goes on after the engine was killed in the middle of an agent's upgrade, and finishes as a plan of before allows", async () => {
    const plan = "/tmp/rke2-upgrade-enforced-plan.json";
    const experimental = { PULUMI_EXPERIMENTAL: "true" };
    const saved = await run(
      ["pulumi", "preview", "--non-interactive", "--save-plan", plan],
      15,
      experimental,
    );
    assert.equal(saved.code, 0, saved.output);
    const running = await startUp();
    await printed(running, /restarting rke2-agent/, 15);
    killAll(running, "SIGKILL");
    await running.ended;
    await cancel();
    // From here the ways back begin (waysBack.test.ts).
    await back.write("after");
    await checkpoint("half");
    // By now every live figure is another: ages, free space, latency, what the gates found.
    const { upgrade } = await timed(async (env) => {
      const { code, output } = await run([...UP, "--plan", plan], 25, { ...experimental, ...env });
      await ok("rm", "-f", plan);
      assert.equal(code, 0, output);
    });
    last = upgrade;
    samples = (await watching?.stop()) ?? [];
    const now = await versions();
    for (const node of [...SERVERS, ...AGENTS]) assert.equal(now[node], TO);
  });

  it("tells what the checks of its last run cost of its time", async () => {
    assert.ok(last);
    const exported = await ok("pulumi", "stack", "export");
    // Told, not judged: how busy the machine is decides it (docs/checks.md).
    console.log(`      ${describeSpent(exported, last)}`);
    const { seconds, sshSessions, apiCalls } = checksCost(exported, last);
    const { announced } = last;
    assert.ok(seconds > announced.seconds && seconds < last.seconds);
    assert.ok(sshSessions > announced.sshSessions && apiCalls > announced.apiCalls);
  });

  it("keeps what its gates found as an output", async () => {
    const gates = JSON.parse(await ok("pulumi", "stack", "output", "gates", "--json")) as Record<
      string,
      string[]
    >;
    assert.deepEqual(Object.keys(gates).sort(), ["preflight", ...SERVERS, ...AGENTS].sort());
    for (const [gate, found] of Object.entries(gates)) assert.ok(found.length > 20, gate);
    assert.match(
      gates["proj-k8sw04"]?.join("\n") ?? "",
      /proj-k8sw04: its VM's snapshot: \S+, \d+\.\d h old/,
    );
  });

  it("took etcd snapshots off the nodes all the while, each named by whose data it is", async () => {
    const files = (await readdir(operator.backups, { recursive: true })).filter((name) =>
      /\.age$/.test(name),
    );
    const of = (version: string) =>
      files.filter((name) => name.includes("/etcd-") && name.endsWith(`-${version.replace("+", "-")}.age`));
    assert.ok(of(FROM).length >= 1, `${files}`);
    assert.ok(of(TO).length >= 3, `${files}`);
    // None is left on a server, but for the one that the restore test is made with.
    for (const server of SERVERS) {
      const left = await onNode(
        server,
        "sudo ls /var/lib/rancher/rke2/server/db/snapshots 2>/dev/null || true",
      );
      assert.doesNotMatch(left, /rke2up-\S+\s+.*rke2up-/s, server);
    }
  });

  it("changes nothing when it is run again after the upgrade", async () => {
    const before = await identities();
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /\d+ (created|updated|replaced|deleted)/);
    assert.deepEqual(await identities(), before);
  });

  it("refuses a second operator who works from another state, and says who holds the cluster since when", async () => {
    const other = await run(["bash", "-c", SECOND_OPERATOR], 10);
    assert.notEqual(other.code, 0);
    assert.match(other.output, /held by (another|no other) change.*since 20\d\d-/s);
  });

  it("left a history in the right order: way back first, servers one at a time, then agents, never two down", async () => {
    const { nodes } = await info();
    const spans: Span[] = [];
    for (const { name, role } of nodes) spans.push(...(await restarts(name, role, began)));
    const first = Math.min(...spans.map(({ from }) => from));

    const tasks =
      await proxmox<{ type: string; status?: string; endtime?: number; id: string }[]>("/cluster/tasks");
    const taken = tasks.filter(({ type, status }) => type === "qmsnapshot" && status === "OK");
    // Each VM's first: what was renewed later is an untouched agent's.
    const firstTaken = nodes.map(({ vmId }) =>
      Math.min(...taken.filter(({ id }) => Number(id) === vmId).map(({ endtime }) => endtime ?? Infinity)),
    );
    for (const endtime of firstTaken) assert.ok(endtime * 1000 <= first + 1000);

    // A service that failed again and again is one restart of its node: the whole of a node's spans must not overlap another's.
    const whole = new Map<string, Span>();
    for (const span of spans) {
      const known = whole.get(span.node);
      whole.set(span.node, {
        node: span.node,
        from: Math.min(span.from, known?.from ?? span.from),
        to: Math.max(span.to, known?.to ?? span.to),
      });
    }
    const order = [...whole.values()].sort((a, b) => a.from - b.from);
    assert.deepEqual(
      order.map(({ node }) => node),
      [...SERVERS, ...AGENTS],
    );
    for (const [i, span] of order.slice(1).entries())
      assert.ok((order[i]?.to ?? 0) <= span.from, `${span.node} overlaps`);

    assert.ok(samples.length > 60, "the cluster was not watched");
    for (const { notReady, cordoned, violated, at } of samples) {
      const when = new Date(at).toISOString();
      const onPurpose = at >= sick.from && at <= sick.to;
      const down = notReady.filter((node) => !(onPurpose && node === "proj-k8sw03"));
      assert.ok(down.length <= 1, `${down.join(", ")} down at ${when}`);
      assert.deepEqual(onPurpose ? [] : violated, [], when);
      assert.ok(cordoned.length <= 1, `${cordoned.join(", ")} cordoned at ${when}`);
    }
  });

  it("keeps every secret out of state, history, plan, events and logs", async () => {
    await findNoSecret();
  });

  it("deletes no snapshot on destroy in the middle of a change", async () => {
    const before = await snapshots();
    assert.equal(new Set(before.map((one) => one.split("/")[0])).size, 7);
    await ok("bash", "-c", DESTROY_A_COPY);
    assert.deepEqual(await snapshots(), before);
  });

  it("touches no node when a script's text is edited", async () => {
    const before = await identities();
    await ok("bash", "-c", "for f in scripts/restart.sh scripts/drain.sh; do sed -i '3i # edited' $f; done");
    try {
      const { code, output } = await up();
      assert.equal(code, 0, output);
      assert.match(output, /updated/);
    } finally {
      await ok("bash", "-c", "for f in scripts/restart.sh scripts/drain.sh; do sed -i '3d' $f; done");
    }
    assert.deepEqual(await identities(), before);
  });

  it("lets go of nothing when acceptance fails, and acceptance can be taken back", async () => {
    const before = { nodes: await identities(), snapshots: await snapshots() };
    await ok("kubectl", "annotate", "node", "proj-k8sw02", "rke2-upgrade/working=somebody");
    await configure({ acceptedVersion: TO });
    const refused = await up();
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, /proj-k8sw02.*nothing was let go/s);
    await ok("kubectl", "annotate", "node", "proj-k8sw02", "rke2-upgrade/working-");
    await configure({ acceptedVersion: FROM });
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.deepEqual({ nodes: await identities(), snapshots: await snapshots() }, before);
  });

  it("accepts: deletes this change's snapshots and nothing else, touches no node, lets the locks go", async () => {
    const before = await identities();
    await proxmox("/nodes/node02/qemu/3004/snapshot", "snapname=by-hand");
    await until("the snapshot by hand", 30, async () => (await snapshots()).includes("3004/by-hand"));
    await configure({ acceptedVersion: TO });
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.deepEqual(await snapshots(), ["3004/by-hand"]);
    assert.deepEqual(await identities(), before);
    await findNoLock();
    await proxmox("/nodes/node02/qemu/3004/snapshot/by-hand", undefined, "DELETE");
    await until("it to be gone", 30, async () => (await snapshots()).length === 0);
    await checkpoint("accepted");
  });
});

/** Neither the Lease in the cluster nor the file on any node. */
async function findNoLock(): Promise<void> {
  const lease = await run(["kubectl", "-n", "kube-system", "get", "lease", "rke2-upgrade"]);
  assert.match(lease.output, /not found/i);
  for (const node of [...SERVERS, ...AGENTS]) {
    assert.equal((await onNode(node, "sudo ls /var/lib/rke2-upgrade/owner 2>/dev/null || true")).trim(), "");
  }
}

/** Encrypted etcd snapshots of the accepted version on the operator's workstation: those that a minor goes back by. */
async function etcdBackups(): Promise<string[]> {
  const files = await readdir(operator.backups, { recursive: true });
  return files
    .filter((file) => file.includes("/etcd-") && file.endsWith(`-${FROM.replace("+", "-")}.age`))
    .map((file) => join(operator.backups, file))
    .sort();
}

/** A second operator: the same config, a backend and a home of his own. */
const SECOND_OPERATOR = `set -eu
other=$(mktemp -d)
trap 'rm -rf "$other"' EXIT
mkdir "$other/program" "$other/state" "$other/home"
for file in *; do ln -s "$PWD/$file" "$other/program/$file"; done
for file in Pulumi*.yaml; do rm "$other/program/$file"; cp "$file" "$other/program/$file"; done
cd "$other/program"
ln -s "$PULUMI_HOME/plugins" "$other/home/plugins"
export PULUMI_BACKEND_URL=file://$other/state PULUMI_HOME=$other/home
pulumi stack init "$PULUMI_STACK" --non-interactive
pulumi up --yes --skip-preview --non-interactive --color=never`;

/** Destroys the stack on a copy of its state, then puts the state back. */
const DESTROY_A_COPY = `set -eu
backend=\${PULUMI_BACKEND_URL#file://}
cp -a "$backend" "$backend.kept"
pulumi destroy --yes --skip-preview --non-interactive --color=never
rm -rf "$backend"
mv "$backend.kept" "$backend"`;

/** Waits until the cluster calls a node Ready, or no longer. */
async function untilReady(node: string, ready: boolean): Promise<void> {
  const condition = ready ? "condition=Ready" : "condition=Ready=Unknown";
  await ok("kubectl", "wait", `node/${node}`, `--for=${condition}`, "--timeout=120s");
}
