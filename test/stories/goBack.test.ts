/**
 * Going back, on the real engine, judged from outside. One story in order: a bump across a minor that stops at an agent
 * (servers new, agents mixed), kept as a checkpoint; from there each way back. What takes longer is in the campaign.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { setFault } from "../../rehearsal/lab/faults";
import { Machine } from "../../rehearsal/machines/machine";
import { until } from "../../rehearsal/machines/poll";
import * as back from "../e2e/back";
import { proxmox, restarts, snapshots, versions } from "../e2e/history";
import { configure, ok, onNode, run, up } from "../e2e/operator";

const { AGENTS, NEW, NEWER, OLD, SERVERS } = back;
const preview = () => run(["pulumi", "preview", "--non-interactive", "--color=never"]);

/** The VMs that were put back, in order. */
async function rolledBack(): Promise<string[]> {
  const tasks = await proxmox<{ type: string; id: string }[]>("/cluster/tasks");
  return tasks.filter(({ type }) => type === "qmrollback").map(({ id }) => id);
}

/** Prints what the way back took and lost, as the stack's outputs say it. */
async function tell(): ReturnType<typeof back.measured> {
  const measured = await back.measured();
  console.log(`    ${measured.summary}`);
  return measured;
}

describe("going back", function () {
  this.timeout(25 * 60_000);
  this.bail(true);
  const chance = back.random(back.seed);
  /** etcd's cluster, as it was at first. */
  let baseline = "";

  before(async () => {
    console.log(`    seed ${back.seed}`);
    await back.checkpoint("goback-fresh");
    baseline = await back.isOneEtcd();
    await configure({
      "limits.soakServerSeconds": "5",
      "limits.soakAgentSeconds": "5",
      "drain.graceSeconds": "30",
      "limits.serviceStartSeconds": "180",
    });
  });

  after(async () => {
    await setFault(["service-fails", "proj-k8sw01", "off"]).catch(() => {});
    await back.from("goback-fresh");
  });

  it("has a change under way that stops at an agent: its install wrote the new version, its service does not start", async () => {
    await back.upWell();
    await back.write("before");
    await configure({ rke2Version: NEW });
    await setFault(["service-fails", "proj-k8sw01", "on"]);
    const { code, output } = await up();
    await setFault(["service-fails", "proj-k8sw01", "off"]);
    assert.notEqual(code, 0, output);
    assert.match(output, /rke2-agent\.service does not come up on v1\.36\.3/);
    // The decision: the exact config, and what it costs; a preview tells whether §4.3's criteria are met.
    const told = await preview();
    assert.match(told.output, /§4\.3's criteria for going back: none is met/);
    assert.match(told.output, /no {2} ?data corruption: every server's etcd has the same hash/);
    assert.match(
      output,
      /if it must go back: pulumi config set --path 'rke2-upgrade:goBack\.strategy' reinstall/,
    );
    await back.write("after");
    const found = await versions();
    for (const server of SERVERS) assert.equal(found[server], NEW);
    await back.checkpoint("goback-half");
  });

  it("refuses what would lose the cluster, with the reason, before anything is touched", async () => {
    const refused = async (strategy: string, nodes: string[], pattern: RegExp) => {
      await back.askForWayBack(strategy, nodes);
      const { code, output } = await preview();
      assert.notEqual(code, 0);
      assert.match(output, pattern);
      await back.forwardAgain();
    };
    await refused("reinstall", [], /in place is unsupported/);
    await refused("rollback", ["proj-k8sm01", "proj-k8sm02"], /13509/);
    await configure({ rke2Version: OLD });
    const { code, output } = await preview();
    assert.notEqual(code, 0);
    assert.match(output, /does not bring .* back/);
    await configure({ rke2Version: NEW });
  });

  it("mends the failed agent alone, by reinstalling, and touches no other node", async () => {
    const since = new Date();
    await back.askForWayBack("reinstall", ["proj-k8sw01"]);
    await back.upWell();
    const found = await versions();
    assert.equal(found["proj-k8sw01"], OLD);
    await tell();
    for (const node of [...SERVERS, ...AGENTS.slice(1)])
      assert.deepEqual(await restarts(node, SERVERS.includes(node as never) ? "server" : "agent", since), []);
    assert.ok(await back.read("after"));
    await back.isOneEtcd();
  });

  it("has one server's VM put back: out of etcd first, wiped, joined anew, one cluster", async () => {
    await back.from("goback-half");
    const clusterId = await back.isOneEtcd();
    assert.equal(clusterId, baseline);
    await onNode(
      "proj-k8sm02",
      "sudo systemctl stop rke2-server; sudo rke2-killall.sh >/dev/null 2>&1; sudo rm -rf /var/lib/rancher/rke2/server/db/etcd",
    );
    await back.askForWayBack("rollback", ["proj-k8sm02"]);
    const killed = await back.killedAt(/proj-k8sm02-(vm-rollback|back-start) creating/, chance() * 8000);
    assert.match(killed, /proj-k8sm02-member-remove created/);
    await back.upWell();
    assert.equal(await back.isOneEtcd(), clusterId);
    assert.equal((await versions())["proj-k8sm02"], OLD);
    assert.ok(await back.read("before"));
    assert.ok(await back.read("after"));
    assert.deepEqual(await rolledBack(), ["3002"]);
    await tell();
  });

  it("goes back across the minor, killed three times on the way: older objects byte for byte, newer ones gone", async () => {
    await back.from("goback-half");
    const before = await back.read("before");
    assert.ok(before && (await back.read("after")));
    await back.askForWayBack("restore");
    const told = await preview();
    assert.equal(told.code, 0, told.output);
    assert.match(told.output, /every object written since the etcd snapshot \(.* old\) is gone/);
    assert.match(told.output, /cannot be undone/);
    const [, gone = ""] = /created since, and gone: (.*)/.exec(told.output) ?? [];
    assert.match(told.output, /objects by kind: \d+ of \d+ kinds of objects are as they were/);
    assert.ok(gone.includes("ConfigMap default/after") && !gone.includes("default/before"), gone);
    for (const pattern of [/back-stop creating/, /back-reset creating/, /proj-k8sm0[23]-back-start creating/])
      await back.killedAt(pattern, chance() * 5000);
    await back.upWell();
    await back.areWell(() => OLD);
    await back.isOneEtcd();
    assert.deepEqual(await back.read("before"), before);
    assert.equal(await back.read("after"), undefined);
    const { rtoSeconds, rpoSeconds, summary } = await tell();
    assert.ok(rtoSeconds > 0 && rpoSeconds > 0);
    const [, same = 0, kinds = 0] = /(\d+) of (\d+) kinds of objects are as they were at/.exec(summary) ?? [];
    assert.ok(Number(kinds) > 20 && Number(same) > Number(kinds) / 2, summary);
    assert.equal((await snapshots()).length, 7);
  });

  it("is settled on what was accepted: every node proven, nothing installed, snapshots and locks let go", async () => {
    const since = new Date();
    await ok("pulumi", "config", "rm", "rke2-upgrade:goBack");
    await configure({ rke2Version: OLD });
    await back.upWell();
    assert.deepEqual(await snapshots(), []);
    for (const server of SERVERS) assert.deepEqual(await restarts(server, "server", since), []);
  });

  it("keeps the identity and the snapshot's plain text out of state", async () => {
    const state = await ok("bash", "-c", `find "\${PULUMI_BACKEND_URL#file://}" -type f -exec cat {} +`);
    assert.doesNotMatch(state, /AGE-SECRET-KEY/);
  });

  it("has an agent's VM put back, and that agent joins again", async () => {
    await back.from("goback-half");
    await back.askForWayBack("rollback", ["proj-k8sw01"]);
    await back.upWell();
    await tell();
    assert.equal((await versions())["proj-k8sw01"], OLD);
    assert.deepEqual(await rolledBack(), ["3004"]);
    assert.ok(await back.read("after"));
  });

  it("brings all servers back when all are lost: their VMs, and etcd from its snapshot", async () => {
    await back.from("goback-half");
    for (const server of SERVERS) await (await Machine.byName(server)).kill();
    await back.askForWayBack("rollback");
    const told = await preview();
    assert.equal(told.code, 0, told.output);
    assert.match(told.output, /which objects these are is not measured/);
    assert.match(told.output, /cannot be undone: a VM's present disk is not kept/);
    await back.killedAt(/proj-k8sm0\d-vm-rollback creating/, chance() * 8000);
    await back.upWell();
    await back.areWell(() => OLD);
    await back.isOneEtcd();
    assert.deepEqual((await rolledBack()).toSorted(), ["3001", "3002", "3003"]);
    assert.ok(await back.read("before"));
    assert.equal(await back.read("after"), undefined);
    await tell();
  });

  it("goes forward again from a way back that was broken off while etcd was put back: that is done to its end", async () => {
    await back.from("goback-half");
    await back.askForWayBack("restore");
    await back.killedAt(/back-reset creating/, chance() * 3000);
    await back.forwardAgain();
    await back.upWell();
    await back.areWell(() => NEW);
    await back.isOneEtcd();
    assert.ok(await back.read("before"));
    assert.equal(await back.read("after"), undefined);
  });

  it("goes forward again from a way back that was broken off before any data was touched: nothing is lost", async () => {
    await back.from("goback-half");
    await back.askForWayBack("restore");
    // Every node is at rest before etcd is touched: none has got that far when the first is being installed.
    await back.killedAt(/back-install creating/, chance() * 500);
    await back.forwardAgain();
    await back.upWell();
    await back.areWell(() => NEW);
    assert.equal(await back.isOneEtcd(), baseline);
    assert.ok((await back.read("before")) && (await back.read("after")));
    await configure({ acceptedVersion: NEW });
    await back.upWell();
    assert.deepEqual(await snapshots(), []);
  });

  it("goes back within a minor, in place: one server half-way, killed on the way, nothing lost", async () => {
    await configure({ rke2Version: NEWER });
    await setFault(["service-fails", "proj-k8sm02", "on"]);
    const { code, output } = await up();
    await setFault(["service-fails", "proj-k8sm02", "off"]);
    assert.notEqual(code, 0, output);
    assert.match(output, /rke2-server\.service does not come up on v1\.36\.3\+rke2r2/);
    const found = await versions();
    assert.deepEqual([found["proj-k8sm01"], found["proj-k8sm03"]], [NEWER, NEW]);
    await back.write("within");
    await back.askForWayBack("reinstall");
    await back.killedAt(/proj-k8sm0[12]-back-\S+ creating/, chance() * 5000);
    await back.upWell();
    await back.areWell(() => NEW);
    assert.equal(await back.isOneEtcd(), baseline);
    assert.ok(await back.read("within"));
    await tell();
    await ok("pulumi", "config", "rm", "rke2-upgrade:goBack");
    await configure({ rke2Version: NEW });
    await back.upWell();
    assert.deepEqual(await snapshots(), []);
  });

  it("and before the next minor tells that etcd's changes too, and which API goes that somebody still asks for, or that alone serves objects", async () => {
    // Off by default, as every alpha and beta: on this server somebody has switched them on.
    const file = "/etc/rancher/rke2/config.yaml.d/50-beta.yaml";
    const apis = "networking.k8s.io/v1beta1=true,certificates.k8s.io/v1alpha1=true";
    const text = `kube-apiserver-arg+:\\n- runtime-config=${apis}\\n- feature-gates=ClusterTrustBundle=true\\n`;
    await onNode(
      "proj-k8sm01",
      `sudo mkdir -p "$(dirname ${file})" && printf '${text}' | sudo tee ${file} >/dev/null && sudo systemctl restart rke2-server`,
    );
    const ask = "get --raw /apis/networking.k8s.io/v1beta1/servicecidrs";
    const kubectl = "sudo /var/lib/rancher/rke2/bin/kubectl --kubeconfig /etc/rancher/rke2/rke2.yaml";
    await until("the API to be served", 120, () => onNode("proj-k8sm01", `${kubectl} ${ask}`), 1000);
    // No other version of it is served: after the move nobody could read it.
    const bundle = `{ printf '%s\\n' 'apiVersion: certificates.k8s.io/v1alpha1' 'kind: ClusterTrustBundle' 'metadata: {name: survey-ca}' 'spec:' '  trustBundle: |'; sudo sed 's/^/    /' /var/lib/rancher/rke2/server/tls/server-ca.crt; }`;
    const trusts = "get --raw /apis/certificates.k8s.io/v1alpha1/clustertrustbundles";
    await until("its alpha to be served", 120, () => onNode("proj-k8sm01", `${kubectl} ${trusts}`), 1000);
    await onNode("proj-k8sm01", `${bundle} | ${kubectl} create -f -`);
    await configure({ rke2Version: "v1.37.0+rke2r1" });
    const { output } = await preview();
    assert.match(
      output,
      /FAIL {2}compatibility: objects that the target cannot serve: certificates\.k8s\.io\/v1alpha1 clustertrustbundles: survey-ca .*next: kubectl get clustertrustbundles\.v1alpha1/,
    );
    assert.match(
      output,
      /FAIL {2}compatibility: APIs that the target removes: .*networking\.k8s\.io\/v1beta1.*next: /,
    );
    assert.match(
      output,
      /WARN {2}version: etcd before and after: 3\.6 → 3\.7 \(crossed\).*next: going back takes the etcd snapshot/,
    );
    await configure({ rke2Version: NEW });
  });
});
