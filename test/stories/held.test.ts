/**
 * What goes wrong in the middle of a run holds the next node's turn, the one before finished. One story in order.
 */
import assert from "node:assert/strict";
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "mocha";
import { snapshotName } from "../../config";
import { setFault } from "../../rehearsal/lab/faults";
import { operator } from "../../rehearsal/lab/operator";
import { until } from "../../rehearsal/machines/poll";
import { proxmox, restarts, snapshots, versions } from "../e2e/history";
import { configure, kubectl, ok, onNode, run, startUp, up } from "../e2e/operator";
import { printed } from "../e2e/watch";

const FROM = "v1.35.4+rke2r1";
const TO = "v1.36.3+rke2r1";
const SNAPSHOT = snapshotName(FROM, "CR-2026-041");
const SERVERS = ["proj-k8sm01", "proj-k8sm02", "proj-k8sm03"];
const AGENTS = ["proj-k8sw01", "proj-k8sw02", "proj-k8sw03", "proj-k8sw04"];

/** What can perish while a node is in its turn. */
const WORSE = [["volume-degraded"], ["clock-skew", "proj-k8sm03"], ["dashboards-down"]];

/** Has the change's etcd snapshots taken so many days earlier, by their names, which is where their age is read. */
async function ageBackups(days: number): Promise<void> {
  const folder = join(operator.backups, `CR-2026-041-${FROM.replace("+", "-")}`);
  for (const name of await readdir(folder)) {
    const [, day] = /^etcd-(\d{4}-\d\d-\d\d)T/.exec(name) ?? [];
    if (!day || !name.includes(FROM.replace("+", "-"))) continue;
    const other = new Date(Date.parse(day) - days * 86_400_000).toISOString().slice(0, 10);
    await rename(join(folder, name), join(folder, name.replace(day, other)));
  }
}

describe("an upgrade that is held between two nodes", function () {
  this.timeout(25 * 60_000);
  this.bail(true);

  const began = new Date();

  before(async () => {
    const { code, output } = await up();
    assert.equal(code, 0, output);
    // What each server reads when it is started anew: from then on RKE2's chart jobs crash while the releases are mixed.
    for (const server of SERVERS)
      await onNode(
        server,
        `sudo sed -i -E 's/("chartsCrashBetweenServers": *)false/\\1true/' /etc/rehearsal/node.json && grep -q '"chartsCrashBetweenServers": *true' /etc/rehearsal/node.json`,
      );
    await configure({
      "limits.soakServerSeconds": "60",
      "limits.soakAgentSeconds": "5",
      rke2Version: TO,
    });
  });

  /** What a run says that is made sick, by a fault, while it watches a server that it has just upgraded. */
  async function sickInTheSoak(server: string, fault: string[]): Promise<string> {
    const running = await startUp();
    await printed(running, new RegExp(`${server} is back; watching it for 60 s`), 15);
    await setFault([...fault, "on"]);
    try {
      const { code, output } = await running.ended;
      assert.notEqual(code, 0, output);
      return output.slice(output.indexOf("Diagnostics:"));
    } finally {
      await setFault([...fault, "off"]);
    }
  }

  it("stops in a server's soak at a pod that was well and crashes, with the time; chart jobs that crash by design are told", async () => {
    const said = await sickInTheSoak("proj-k8sm01", ["pod-crashloops"]);
    assert.match(
      said,
      /relapsed while being watched: pods that were well before, at \d\d:\d\d:\d\dZ: research\/fault-crashloops\S* crashes \(§4\.1\)\. .*next: /s,
    );
    // Who leads deploys the charts, and those that wait lead in turn: now the server of the new release does.
    for (const server of SERVERS.slice(1)) await onNode(server, "sudo systemctl restart rke2-server");
    await until("the chart jobs to crash, and to be told as harmless", 180, async () => {
      const { output } = await run(["pulumi", "preview", "--non-interactive", "--color=never"]);
      return /ok {2}cluster: RKE2's charts installed: failing: helm-install-.* \(harmless while the servers are of two versions\)/.test(
        output,
      );
    });
    const now = await versions();
    assert.deepEqual(
      SERVERS.map((node) => now[node]),
      [TO, FROM, FROM],
    );
  });

  it("holds the next server that has no free capacity any more, though the preflight has passed", async () => {
    const said = await sickInTheSoak("proj-k8sm01", ["server-full"]);
    assert.match(
      said,
      /proj-k8sm02 was not touched: .*proj-k8sm02: free capacity: cpu asked for [789]\d %.*\n\s*next: /s,
    );
  });

  it("stops in a server's soak at an API that takes longer than two seconds, with the time and the value", async () => {
    // The server after it is the one that is asked.
    const said = await sickInTheSoak("proj-k8sm02", ["api-slow", "proj-k8sm03", "2500"]);
    assert.match(
      said,
      /relapsed while being watched: the API took \d{4,} ms or gave no good answer at \d\d:\d\d:\d\dZ; .*2000 concerning \(§4\.1\)/,
    );
    const now = await versions();
    assert.deepEqual(
      SERVERS.map((node) => now[node]),
      [TO, TO, FROM],
    );
    await configure({ "limits.soakServerSeconds": "5" });
  });

  it("holds the next agent while storage has not recovered, its snapshot is gone, a server's clock or the monitoring is off: the one before is finished", async () => {
    const running = await startUp();
    // The preflight has passed, and so has this node's own gate: only the next one's can see it.
    await printed(running, /proj-k8sw01-drain.* creat/, 15);
    for (const fault of WORSE) await setFault([...fault, "on"]);
    await proxmox(`/nodes/node04/qemu/3005/snapshot/${SNAPSHOT}`, undefined, "DELETE");
    try {
      const { code, output } = await running.ended;
      assert.notEqual(code, 0, output);
      assert.match(output, /proj-k8sw02 was not touched: .*cluster: storage: .*degraded.*\n\s*next: /s);
      assert.match(output, /- nodes: clocks in step: \d{4} ms apart .*proj-k8sm03.*\n\s*next: /);
      assert.match(output, /- monitoring: .*: HTTP 503; .*\n\s*next: /);
      assert.match(
        output,
        /proj-k8sw02: its VM's snapshot: VM 3005 has no .*\n\s*next: run pulumi up again/s,
      );
    } finally {
      for (const fault of WORSE.toReversed()) await setFault([...fault, "off"]);
    }
    const now = await versions();
    assert.deepEqual(
      AGENTS.map((node) => now[node]),
      [TO, FROM, FROM, FROM],
    );
    // The next run takes it anew: the node still runs what it ran when the change began.
  });

  it("refuses to go on days later with the way back of then, until the operator keeps the servers by name", async () => {
    await ageBackups(2);
    const { code, output } = await up();
    assert.notEqual(code, 0, output);
    assert.match(
      output,
      /nothing was touched: \d+ of the checks .*- way back: age of the etcd snapshot: 4[89] h.*no newer one with the data of v1\.35\.4\+rke2r1.*\n\s*next: decide: go back now.*'rke2-upgrade:acceptedServers' CR-2026-041/s,
    );
    const now = await versions();
    assert.deepEqual(
      AGENTS.map((node) => now[node]),
      [TO, FROM, FROM, FROM],
    );
    // The next run goes on with it.
    await configure({ acceptedServers: "CR-2026-041" });
  });

  it("holds the agent whose turn does not fit before the window closes, every started node finished", async () => {
    const clock = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16);
    // What was not measured yet may take its whole limit: ten minutes for the drain of the GPU agent, one for the others.
    await configure({ "windows[0].start": clock(-120), "windows[0].end": clock(13) });
    await configure({ "drain.timeoutSeconds": "60", "drain.graceSeconds": "30" });
    try {
      const { code, output } = await up();
      assert.notEqual(code, 0, output);
      assert.match(
        output.slice(output.indexOf("Diagnostics:")),
        /proj-k8sw04 was not touched: .*its turn fits into the window: needs \d+ min.*the window closes at .*\n\s*next: held with every started node finished/s,
      );
    } finally {
      await configure({ "drain.timeoutSeconds": "300", "drain.graceSeconds": "120" });
      await configure({ "windows[0].start": "00:00", "windows[0].end": "24:00" });
    }
    const now = await versions();
    assert.deepEqual(
      AGENTS.map((node) => now[node]),
      [TO, TO, TO, FROM],
    );
  });

  it("finishes when nothing is in its way any more, with a way back of this window and no such word", async () => {
    await ageBackups(-2);
    await ok("pulumi", "config", "rm", "rke2-upgrade:acceptedServers");
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.ok(
      (await snapshots()).includes(`3005/${SNAPSHOT}`),
      "a snapshot that was gone was not taken anew",
    );
    assert.deepEqual(new Set(Object.values(await versions())), new Set([TO]));
  });

  it("had RKE2's charts complete before the first agent was touched", async () => {
    const { items } = await kubectl<{
      items: { metadata: { name: string }; status: { completionTime?: string } }[];
    }>("-n", "kube-system", "get", "jobs");
    const done = items
      .filter(({ metadata }) => metadata.name.startsWith("helm-install-"))
      .map(({ status }) => Date.parse(status.completionTime ?? ""));
    const [first] = await restarts(AGENTS[0] ?? "", "agent", began);
    assert.ok(first && done.length > 0);
    for (const at of done) assert.ok(at < first.from, `complete at ${new Date(at).toISOString()}`);
  });
});
