/**
 * Windows, compatibility and critical workloads on the real engine: many conditions wrong at once in one preview, one
 * `up` refused before any node is touched, each mended or taken on by name, and a critical workload that holds its
 * node's turn. Ends where it began, so that it may run before or after any other story.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { identities, snapshots, versions } from "../e2e/history";
import { configure, kubectl, ok, run, up } from "../e2e/operator";

const FROM = "v1.35.4+rke2r1";
const TO = "v1.36.3+rke2r1";
const CHANGE = "CR-2026-041";
const FIRST_SERVER = "proj-k8sm01";

/** The rehearsal's one window, every day, from start to end. */
const windows = (start: string, end: string) =>
  configure({ "windows[0].start": start, "windows[0].end": end });

/** The full hour that comes so many hours from now, on a UTC clock. */
const hour = (ahead: number): string =>
  `${String((new Date().getUTCHours() + ahead) % 24).padStart(2, "0")}:00`;

const preview = async (): Promise<string> => {
  const { code, output } = await run(["pulumi", "preview", "--non-interactive", "--color=never"]);
  assert.equal(code, 0, output);
  return output;
};

/** Sets an image of the simulated Rancher; whether its pods come is the rehearsal's kubelets' affair. */
const rancher = async (tag: string) => {
  await ok(
    "kubectl",
    "-n",
    "cattle-system",
    "set",
    "image",
    "deployment/rancher",
    `rancher=rancher/rancher:${tag}`,
  );
  await ok("kubectl", "-n", "cattle-system", "rollout", "status", "deployment/rancher", "--timeout=180s");
};

/** Gives the ingress's pods the label that its chart would. */
const traefik = async (version: string) => {
  const metadata = { labels: { "app.kubernetes.io/version": version } };
  const patch = JSON.stringify({ spec: { template: { metadata } } });
  await ok("kubectl", "-n", "traefik", "patch", "daemonset", "traefik", "--type=merge", `--patch=${patch}`);
  await ok("kubectl", "-n", "traefik", "rollout", "status", "daemonset/traefik", "--timeout=240s");
};

/** A pod on one node, by name: critical, and with nothing that a drain or another check would mind. */
const critical = async (on: boolean) => {
  const labels = { "radioastronomy.io/critical": "true" };
  const overrides = JSON.stringify({ spec: { nodeName: FIRST_SERVER } });
  if (!on) return ok("kubectl", "delete", "pod", "correlator", "--now", "--ignore-not-found");
  const label = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  await ok(
    "kubectl",
    "run",
    "correlator",
    "--image=radioastronomy/correlator:1.0.0",
    `--labels=${label}`,
    `--overrides=${overrides}`,
  );
  return ok("kubectl", "wait", "pod/correlator", "--for=condition=Ready", "--timeout=120s");
};

/** Each machine's boot and RKE2's start; the story moves pods itself. */
const machines = async () =>
  Object.entries(await identities()).map(([name, { bootId, serviceStarted }]) => [
    name,
    bootId,
    serviceStarted,
  ]);

describe("policy, compatibility and timing", function () {
  this.timeout(15 * 60_000);
  this.bail(true);

  let untouched: Awaited<ReturnType<typeof machines>>;

  before(async () => {
    await configure({ rke2Version: FROM, acceptedVersion: FROM, changeId: CHANGE });
    const adopted = await up();
    assert.equal(adopted.code, 0, adopted.output);
    untouched = await machines();
    await configure({ rke2Version: TO });
  });

  after(async () => {
    await critical(false).catch(() => {});
    await Promise.all([rancher("v2.15.1"), traefik("v3.7.8")]);
    await windows("00:00", "24:00");
    for (const key of ["windowOverride", "acknowledge"])
      await run(["pulumi", "config", "rm", `rke2-upgrade:${key}`]);
    await configure({ rke2Version: FROM });
    const settled = await up();
    assert.equal(settled.code, 0, settled.output);
    assert.deepEqual(await snapshots(), []);
  });

  it("passes on a healthy lab, each check with its figure", async () => {
    const output = await preview();
    for (const check of [
      /ok {2}version: at most two minors behind the latest stable: 1\.36 is not behind v1\.36\.3\+rke2r\d/,
      /ok {2}version: skew, now and at every step: API servers 1\.35, agents' kubelets 1\.35/,
      /ok {2}version: etcd before and after: 3\.6 → 3\.6/,
      /ok {2}compatibility: rancher: 2\.15\.1 in cattle-system/,
      /ok {2}compatibility: gpu-operator: 26\.7\.0 in gpu-operator/,
      /ok {2}compatibility: cert-manager: 1\.21\.1 in cert-manager/,
      /ok {2}compatibility: traefik: 3\.7\.8 in traefik/,
      /ok {2}compatibility: APIs that the target removes: none asked for/,
      /ok {2}proxmox: age of each VM's last backup: the oldest \d+ h/,
      /ok {2}timing: maintenance window: open until/,
      /ok {2}timing: all servers and their rollback fit: .* 60 min to go back/,
      /ok {2}timing: deadline to decide to go back: \w+ [\d-]+ \d\d:\d\d UTC/,
      /ok {2}timing: the whole change: .* expected, until about/,
      /ok {2}timing: critical workloads: none runs/,
    ])
      assert.match(output, check);
  });

  it("shows what is wrong all at once, and refuses up before any node is touched", async () => {
    await Promise.all([rancher("v2.14.3"), traefik("v3.9.0"), critical(true)]);
    await windows(hour(6), hour(11));
    const output = await preview();
    for (const check of [
      /FAIL {2}timing: maintenance window: closed now, .*; the next opens/,
      /FAIL {2}compatibility: rancher: 2\.14\.3 .*kubeVersion < 1\.36\.0-0/,
      /FAIL {2}compatibility: traefik: 3\.9\.0 .*nothing is on record.*acknowledge\[0\]' 'traefik 3\.9 on 1\.36'/,
      /WARN {2}timing: critical workloads: running: default\/correlator on proj-k8sm01/,
    ])
      assert.match(output, check);
    const refused = await up();
    assert.notEqual(refused.code, 0, refused.output);
    assert.match(refused.output, /nothing was touched: 3 of the checks/);
    assert.match(refused.output, /next: .*windowOverride' CR-2026-041/);
    assert.deepEqual(await machines(), untouched);
    assert.deepEqual(await snapshots(), []);
    assert.deepEqual([...new Set(Object.values(await versions()))], [FROM]);
  });

  it("lets the change leave its window by its name and take on an unknown pair; a critical workload holds its node", async () => {
    await rancher("v2.15.1");
    await configure({ windowOverride: CHANGE, "acknowledge[0]": "traefik 3.9 on 1.36" });
    const output = await preview();
    assert.doesNotMatch(output, /FAIL|NOT MEASURED/);
    assert.match(
      output,
      /WARN {2}timing: maintenance window: closed now.*allowed: windowOverride names CR-2026-041/,
    );
    assert.match(output, /WARN {2}compatibility: traefik: .*acknowledged/);
    const held = await up();
    assert.notEqual(held.code, 0, held.output);
    assert.match(held.output, /proj-k8sm01: critical workloads: running: default\/correlator on proj-k8sm01/);
    assert.deepEqual([...new Set(Object.values(await versions()))], [FROM]);
    const nodes = await kubectl<{ items: { metadata: { annotations?: Record<string, string> } }[] }>(
      "get",
      "nodes",
    );
    // What the artifacts' steps took is remembered, and told by the next preview.
    assert.match(await preview(), /timing: the whole change: .*; [1-9]\d* of \d+ steps measured here before/);
    assert.ok(
      !nodes.items.some(({ metadata }) => metadata.annotations?.["rke2-upgrade/working"]),
      "a turn began",
    );
  });
});
