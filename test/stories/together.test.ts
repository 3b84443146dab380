/**
 * Everything in one change: Rancher with its export, a minor of RKE2 with its agents in waves, an operator before it and one
 * after, the agents' OS with a reboot, the compliance scan, and no registry in reach of any node. A node is worse after its
 * turn, another does not come back: both stop the run, which goes on. The order is read off what the cluster and its nodes
 * keep. One story in order.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { setFault } from "../../rehearsal/lab/faults";
import { readInfo } from "../../rehearsal/lab/info";
import { Machine } from "../../rehearsal/machines/machine";
import { runDirectory } from "../../rehearsal/machines/paths";
import { until } from "../../rehearsal/machines/poll";
import { AGENTS, areWell, NEW, NODES, OLD, SERVERS, upWell } from "../e2e/back";
import { askForOperator, makeOperators, POLICY_HEALTH, policyIsReady, revisions } from "../e2e/helm";
import { info, proxmox, restarts, snapshots, versions } from "../e2e/history";
import { configure, ok, onNode, run, startUp, up } from "../e2e/operator";
import { atRest, bootIds, outdate, packages, rebootedAt, upgradedAt } from "../e2e/os";
import {
  askForRancher,
  exported,
  KEEPER,
  makeRancher,
  NEW_RANCHER,
  OLD_RANCHER,
  rancherAt,
  rancherRuns,
} from "../e2e/rancher";
import { printed } from "../e2e/watch";

const CHANGE = "CR-2026-041";
const CERT = { from: "v1.21.1", to: "v1.21.2" };
const GPU = { from: "v26.7.0", to: "v26.7.1" };
/** Whose OS lags behind; the first of them has to be rebooted for it. */
const [REBOOTED, QUIET] = ["proj-k8sw01", "proj-k8sw02"];
/** The agents' waves: a canary first, and no two together, since Rancher's pods would find no place. */
const WAVES = AGENTS.map((node) => [node]);
/** The node that is made worse in its own turn. */
const WORSE = ["scan-new-failure", "proj-k8sm01"];

describe("everything in one change", function () {
  this.timeout(25 * 60_000);
  this.bail(true);

  const charts = mkdtempSync(join(tmpdir(), "together-"));
  let bootsBefore: Record<string, string>;
  let began: Date;

  const statuses = async (name: string, namespace = name) =>
    (await revisions(name, namespace)).map(({ status }) => status);

  /** Images of RKE2's containerd on a node. */
  const images = (node: string) =>
    onNode(
      node,
      "sudo /var/lib/rancher/rke2/bin/crictl --config /var/lib/rancher/rke2/agent/etc/crictl.yaml images",
    );
  /** A tag of Canal's as RKE2 of that version brings it; each has its own build. */
  const canalOf = async (node: string, version: string) => {
    const list = `/var/lib/rke2-upgrade/artifacts/${version}/rke2-images.linux-amd64.txt`;
    const [, tag = ""] = /hardened-calico:(\S+)/.exec(await onNode(node, `sudo cat ${list}`)) ?? [];
    return tag || assert.fail(`${node}: no Canal in ${list}`);
  };
  /** As a site without a registry has installed its nodes: RKE2's images lie there, imported. */
  const installOffline = async (url: string) => {
    const folder = "/var/lib/rancher/rke2/agent/images";
    const archive = `${url}/rke2/releases/download/${OLD.replace("+", "%2B")}/rke2-images.linux-amd64.tar.gz`;
    for (const node of NODES) {
      await onNode(
        node,
        `sudo mkdir -p ${folder} && sudo curl -sfo ${folder}/.new ${archive} && sudo mv ${folder}/.new ${folder}/rke2-images.linux-amd64.tar.gz`,
      );
      // Only the leading server has run one of these.
      await until(`${node} to import`, 30, async () => /klipper-helm/.test(await images(node)), 1000);
    }
  };

  before(async () => {
    await makeOperators();
    await makeRancher();
    await configure({
      "limits.soakServerSeconds": "2",
      "limits.soakAgentSeconds": "2",
      "limits.rebootSeconds": "50",
      "restoreTest.enabled": "false",
    });
    await askForOperator("gpu-operator", GPU.from, charts);
    await askForOperator("cert-manager", CERT.from, charts);
    await askForRancher(OLD_RANCHER, charts);
    await upWell();
    await policyIsReady();
    await outdate([REBOOTED], [QUIET]);
    const { scan, releases } = await readInfo();
    await installOffline(releases.url);
    for (const node of NODES) await setFault(["registry-down", node, "on"]);
    bootsBefore = await bootIds();
    began = new Date();
    await askForOperator("gpu-operator", GPU.to, charts);
    await askForOperator("cert-manager", CERT.to, charts);
    await askForRancher(NEW_RANCHER, charts);
    await configure({
      ...POLICY_HEALTH,
      "install.images": "tar.gz",
      "osPatch.packages": "security",
      "agents.canary": "1",
      "agents.canarySoakSeconds": "5",
      "scan.url": scan.url,
      "scan.sha256": scan.sha256,
      rke2Version: NEW,
    });
  });

  after(() => rmSync(charts, { recursive: true, force: true }));

  it("shows what goes before Kubernetes, what with each node and what after, in that order", async () => {
    const { code, output } = await run(["pulumi", "preview", "--non-interactive", "--color=never"]);
    assert.equal(code, 0, output);
    const places = [
      "proj-k8sw04: scan it with kube-bench, as it is before the change",
      "Operators that go before Kubernetes",
      "have rancher-backup export Rancher",
      "proj-k8sm01: install v1.36.3+rke2r1",
      "proj-k8sm01: scan it: nothing may fail newly",
      "proj-k8sm02: install v1.36.3+rke2r1",
      "proj-k8sw01: drain",
      "proj-k8sw01: upgrade OS packages (security)",
      "proj-k8sw01: reboot if the OS asks for it",
      "proj-k8sw01: install v1.36.3+rke2r1",
      "proj-k8sw04: install v1.36.3+rke2r1",
      "Operators that go after Kubernetes",
      "proj-k8sw04: scan it again: nothing may fail newly",
    ];
    // The plan is what is told last; some of these words stand behind it too.
    let at = output.lastIndexOf(places[0] ?? "");
    for (const words of places) {
      const found = output.indexOf(words, at);
      assert.notEqual(found, -1, `${words} comes too early, or not at all:\n${output}`);
      at = found;
    }
    assert.match(output, /proj-k8sw04: fetch and check .*; have RKE2 import v1\.36\.3\+rke2r1's images/);
    assert.match(output, /ok {2}rancher: version: v2\.14\.3, by its server's own word/);
    assert.match(output, /wave 1 of 4, the canary, 1 at once: proj-k8sw01: /);
    assert.match(output, /ok {2}proj-k8sw01: OS packages \(security\): 2 to upgrade/);
    assert.match(
      output,
      /ok {2}operator: gpu-operator: v26\.7\.0 .* \(wanted v26\.7\.1, after the last agent/,
    );
  });

  it("stops in the turn of a node that is worse after it, before the next node's", async () => {
    const running = await startUp();
    // RKE2 sets the file's mode right when it starts: worse after that, and before the scan.
    await printed(running, /proj-k8sm01-restart created/, 10);
    await setFault([...WORSE, "on"]);
    const { code, output } = await running.ended;
    await setFault([...WORSE, "off"]);
    assert.notEqual(code, 0, output);
    assert.match(
      output,
      /proj-k8sm01: scan: the scan has new failures since before the change: 4\.1\.5 .*\n.*next: mend them on this node/,
    );
    const now = await versions();
    assert.deepEqual(
      NODES.map((node) => now[node]),
      [NEW, OLD, OLD, OLD, OLD, OLD, OLD],
    );
    // What the new server's charts roll out on these nodes is there, and their own RKE2 starts with what it had.
    for (const node of NODES) {
      assert.ok((await images(node)).includes(await canalOf(node, NEW)), node);
      const archives = await onNode(node, "sudo ls -A /var/lib/rancher/rke2/agent/images");
      assert.equal(archives.trim(), "rke2-images.linux-amd64.tar.gz", node);
    }
    assert.deepEqual(await statuses("cert-manager"), ["superseded", "deployed"]);
    assert.deepEqual(await statuses("gpu-operator"), ["deployed"]);
    assert.deepEqual(await statuses("rancher", "cattle-system"), ["superseded", "deployed"]);
    assert.deepEqual(await rancherRuns(), rancherAt(NEW_RANCHER));
    assert.equal((await exported())?.version, `v${OLD_RANCHER}`);
  });

  it("goes on once that is mended, and stops at an agent that does not come back, later agents untouched", async () => {
    const later = AGENTS.filter((node) => node !== REBOOTED);
    const before = await atRest(later);
    await setFault(["no-return", REBOOTED, "on"]);
    const { code, output } = await up();
    assert.notEqual(code, 0, output);
    assert.match(
      output,
      /proj-k8sw01: reboot: does not answer over SSH 50 s after .*\n\s*next: look at the console of VM 3004/,
    );
    const now = await versions();
    assert.deepEqual(
      NODES.map((node) => now[node]),
      [NEW, NEW, NEW, OLD, OLD, OLD, OLD],
    );
    assert.deepEqual(await atRest(later), before);
    assert.deepEqual(await statuses("gpu-operator"), ["deployed"]);
  });

  it("goes on where it stopped once that machine is started, to the end", async () => {
    await setFault(["no-return", REBOOTED, "off"]);
    await (await Machine.byName(REBOOTED)).start();
    await until(`${REBOOTED} to answer again`, 90, async () => {
      const now = await bootIds();
      return now[REBOOTED] !== bootsBefore[REBOOTED];
    });
    await upWell();
    const now = await versions();
    for (const node of NODES) assert.equal(now[node], NEW, node);
    const boots = await bootIds();
    assert.deepEqual(
      NODES.filter((node) => boots[node] !== bootsBefore[node]),
      [REBOOTED],
    );
    for (const node of [REBOOTED, QUIET]) assert.ok((await packages(node)).includes("rehearsal-base=1.1"));
    const scans = JSON.parse(await ok("pulumi", "stack", "output", "scans", "--json"));
    for (const node of NODES) assert.equal(scans.after[node].new, "", node);
  });

  it("did all of it in the one right order, by what helm, systemd, dpkg, kubelets, kube-bench and Proxmox VE kept", async () => {
    /** When kube-bench's own JSON of a node was written, milliseconds since the epoch. */
    const scannedAt = async (node: string, when: string) =>
      1000 *
      Number(await onNode(node, `sudo stat -c %.9Y /var/lib/rke2-upgrade/scan/${CHANGE}/${when}.json`));
    const role = (node: string) => (SERVERS.includes(node as never) ? "server" : "agent");
    // What restarted RKE2 last on each node: the upgrade. A reboot came before it.
    const upgrades = await Promise.all(
      NODES.map(async (node) => (await restarts(node, role(node), began)).at(-1) ?? assert.fail(node)),
    );
    const of = (node: string) => upgrades[NODES.indexOf(node as never)] ?? assert.fail(node);
    const taken = await Promise.all(
      (await info()).nodes.map(async ({ vmId }) => {
        const vms = await proxmox<{ vmid: number; node: string }[]>("/cluster/resources?type=vm");
        const host = vms.find(({ vmid }) => vmid === vmId)?.node;
        const all = await proxmox<{ name: string; snaptime?: number }[]>(
          `/nodes/${host}/qemu/${vmId}/snapshot`,
        );
        return Math.max(...all.map(({ snaptime = 0 }) => snaptime * 1000));
      }),
    );
    const [rancher, cert, gpu] = await Promise.all(
      [
        ["rancher", "cattle-system"],
        ["cert-manager", "cert-manager"],
        ["gpu-operator", "gpu-operator"],
      ].map(async ([name = "", namespace]) => (await revisions(name, namespace)).at(-1)?.at ?? 0),
    );
    const { restore } = (await exported()) ?? assert.fail("nothing was exported");
    const kept = await onNode(KEEPER, `sudo stat -c %.9Y /var/lib/rancher-backups/${restore}`);
    const [before, after] = await Promise.all(
      ["before", "after"].map((when) => Promise.all(NODES.map((node) => scannedAt(node, when)))),
    );
    assert.ok(rancher && cert && gpu && before && after);
    const first = upgrades[0] ?? assert.fail();
    const last = Math.max(...upgrades.map(({ to }) => to));
    const order: [string, number][] = [
      ["the last scan before", Math.max(...before)],
      ["the first snapshot", Math.min(...taken)],
      ["the last snapshot", Math.max(...taken)],
      ["Rancher's export", 1000 * Number(kept)],
      ["Rancher", rancher],
      ["cert-manager", cert],
      ["the first server's RKE2", first.from],
      ["the last agent's RKE2", last],
      ["gpu-operator", gpu],
      ["the first scan after", Math.min(...after)],
    ];
    for (const [i, [name, at]] of order.entries()) {
      const next = order[i + 1];
      // Some of them keep whole seconds.
      if (next)
        assert.ok(Math.floor(at / 1000) * 1000 <= next[1], `${name} before ${next[0]}: ${at}, ${next[1]}`);
    }
    // Servers one by one, then the agents' waves: each is scanned after its RKE2, and before anybody of the next begins.
    const turns = [...SERVERS.map((node) => [node]), ...WAVES];
    for (const [i, nodes] of turns.entries())
      for (const node of nodes) {
        const scanned = await scannedAt(node, "turn");
        assert.ok(of(node).to < scanned, `${node} is scanned after its RKE2`);
        for (const next of turns[i + 1] ?? [])
          assert.ok(scanned < of(next).from, `${node} is scanned before ${next}'s RKE2`);
      }
    const [upgraded, rebooted] = [await upgradedAt(REBOOTED), await rebootedAt(REBOOTED)];
    assert.ok(of("proj-k8sm03").to < upgraded && upgraded <= rebooted && rebooted <= of(REBOOTED).from);
    const quiet = await upgradedAt(QUIET);
    assert.ok(of(REBOOTED).to < quiet && quiet <= of(QUIET).from);
  });

  it("is accepted as one, the scan once more before, and lets everything go", async () => {
    await configure({ acceptedVersion: NEW });
    await upWell();
    assert.deepEqual(await snapshots(), []);
    await areWell(() => NEW);
    for (const name of ["cert-manager", "gpu-operator"])
      assert.deepEqual(await statuses(name), ["superseded", "deployed"]);
    assert.deepEqual(await rancherRuns(), rancherAt(NEW_RANCHER));
  });

  it("asked nobody but the site's own mirror for any file", async () => {
    const log = await readFile(join(runDirectory, "releases.log"), "utf8");
    const asked = [...log.matchAll(/ (?:GET|HEAD) (\S+) /g)].map(([, path]) => path ?? "");
    assert.ok(asked.some((path) => path.startsWith("/kube-bench/")));
    assert.ok(asked.some((path) => path.startsWith("/rke2/releases/download/v1.36.3")));
    for (const node of NODES) {
      const said = await onNode(node, "sudo journalctl --no-pager --output=cat --grep='Extracting rancher/'");
      assert.match(
        said,
        /Extracting rancher\/hardened-kubernetes:v1\.36\.3-rke2r1-\S+ from \S+\/agent\/images\/rke2-images/,
      );
    }
    const outside = "curl -sS --connect-timeout 3 -o /dev/null https://1.1.1.1";
    const { code, output } = await run(["ssh", REBOOTED, outside]);
    assert.ok(code === 7 || code === 28, output);
  });
});
