/**
 * About the ways back, on the real engine, judged from outside: when the program asks for one, what it refuses, and going
 * forward again from one that was broken off. The ways back themselves: test/e2e/waysBack.test.ts. One story in order.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { setFault } from "../../rehearsal/lab/faults";
import { until } from "../../rehearsal/machines/poll";
import * as back from "../e2e/back";
import { snapshots, versions } from "../e2e/history";
import { configure, onNode, run, up } from "../e2e/operator";

const { NEW, OLD, SERVERS } = back;
const preview = () => run(["pulumi", "preview", "--non-interactive", "--color=never"]);

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

  it("goes forward again from a way back that was broken off while etcd was put back, and broken off once more: that is done to its end", async () => {
    await back.from("goback-half");
    await back.askForWayBack("restore");
    await back.killedAt(/back-reset creating/, chance() * 3000);
    await back.askForWayBack("reinstall", ["proj-k8sw01"]);
    const refused = await up();
    assert.match(
      refused.output,
      /earlier way back: .*restore of .*: of the whole cluster, nodes may be stopped/,
    );
    await back.forwardAgain();
    // In the first seconds nodes are drained and stopped: no server is started as it is by the run after it.
    await back.killedAt(/preflight (creating|updating)/, 4000 + chance() * 6000);
    await back.upWell();
    await back.areWell(() => NEW);
    await back.isOneEtcd();
    assert.ok(await back.read("before"));
    assert.equal(await back.read("after"), undefined);
  });

  it("goes forward again from a way back that stopped at an agent, its servers one etcd again: what was written since stays", async () => {
    await back.from("goback-half");
    await back.askForWayBack("restore");
    await setFault(["service-fails", "proj-k8sw04", "on"]);
    const stopped = await up();
    await setFault(["service-fails", "proj-k8sw04", "off"]);
    assert.match(stopped.output, /proj-k8sw04.*rke2-agent\.service does not come up on v1\.35\.4/s);
    const restored = await back.isOneEtcd();
    await back.write("since");
    await back.forwardAgain();
    assert.match((await preview()).output, /every server is in one etcd again: no data is put back/);
    await back.upWell();
    await back.areWell(() => NEW);
    assert.equal(await back.isOneEtcd(), restored);
    assert.ok((await back.read("before")) && (await back.read("since")));
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
