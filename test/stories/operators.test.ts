/**
 * An operator before Kubernetes and one after it, with an upgrade and alone: a hook that fails stops the run before the
 * first server, and the same run goes on. One story in order.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { snapshotName } from "../../config";
import { askForOperator, makeOperators, POLICY_HEALTH, policyIsReady, revisions } from "../e2e/helm";
import { restarts, snapshots, versions } from "../e2e/history";
import { configure, kubectl, ok, run, startUp, up } from "../e2e/operator";
import { printed } from "../e2e/watch";

const FROM = "v1.35.4+rke2r1";
const TO = "v1.36.3+rke2r1";
const CERT = { from: "v1.21.1", to: "v1.21.2" };
const GPU = { from: "v26.7.0", to: "v26.7.1" };

describe("operators that go with an upgrade", function () {
  this.timeout(20 * 60_000);
  this.bail(true);

  const charts = mkdtempSync(join(tmpdir(), "operators-"));
  const began = new Date();

  const statuses = async (name: string) => (await revisions(name)).map(({ status }) => status);

  const runs = async (name: string) => {
    const { metadata } = await kubectl<{ metadata: { labels: Record<string, string> } }>(
      ...["-n", name, "get", "deployment", name],
    );
    return metadata.labels["app.kubernetes.io/version"];
  };

  before(async () => {
    await makeOperators();
    await configure({
      "limits.soakServerSeconds": "2",
      "limits.soakAgentSeconds": "2",
      "restoreTest.enabled": "false",
    });
    await askForOperator("gpu-operator", GPU.from, charts);
    await askForOperator("cert-manager", CERT.from, charts);
  });

  after(() => rmSync(charts, { recursive: true, force: true }));

  it("are installed by the run that adopts the cluster", async () => {
    const { code, output } = await up();
    assert.equal(code, 0, output);
    for (const name of ["cert-manager", "gpu-operator"]) assert.deepEqual(await statuses(name), ["deployed"]);
    await policyIsReady();
  });

  it("are shown with from → to and their place in the order", async () => {
    await askForOperator("gpu-operator", GPU.to, charts);
    await askForOperator("cert-manager", CERT.to, charts);
    await configure({
      ...POLICY_HEALTH,
      "operators[1].values.hook.exitCode": "1",
      rke2Version: TO,
    });
    const { code, output } = await run(["pulumi", "preview", "--non-interactive", "--color=never"]);
    assert.equal(code, 0, output);
    assert.match(
      output,
      /ok {2}operator: gpu-operator: v26\.7\.0 of gpu-operator, deployed, revision 1 \(wanted v26\.7\.1, after the last agent/,
    );
    assert.match(
      output,
      /Operators that go before Kubernetes\n.*cert-manager at v1\.21\.2.*\n.*\n *Servers, one at a time/,
    );
    assert.match(output, /Operators that go after Kubernetes\n.*gpu-operator at v26\.7\.1/);
  });

  it("stop the run at a hook that fails, before the first server, the way back there", async () => {
    const { code, output } = await up();
    assert.notEqual(code, 0, output);
    assert.match(
      output.slice(output.indexOf("Diagnostics:")),
      /Helm release "cert-manager\/cert-manager" failed to initialize completely.*pre-upgrade hooks failed/s,
    );
    assert.deepEqual(new Set(Object.values(await versions())), new Set([FROM]));
    assert.equal(
      (await snapshots()).filter((one) => one.endsWith(snapshotName(FROM, "CR-2026-041"))).length,
      7,
    );
    assert.deepEqual(await statuses("cert-manager"), ["deployed", "failed"]);
    assert.equal(await runs("cert-manager"), CERT.from);
    assert.deepEqual(await statuses("gpu-operator"), ["deployed"]);
  });

  it("go on where the run stopped, the one before every server, the other after every agent", async () => {
    await configure({ "operators[1].values.hook.exitCode": "0" });
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.deepEqual(new Set(Object.values(await versions())), new Set([TO]));
    assert.deepEqual([await runs("cert-manager"), await runs("gpu-operator")], [CERT.to, GPU.to]);
    const [cert, gpu] = [(await revisions("cert-manager")).at(-1), (await revisions("gpu-operator")).at(-1)];
    assert.deepEqual([cert?.status, gpu?.status], ["deployed", "deployed"]);
    const [first] = await restarts("proj-k8sm01", "server", began);
    const last = (await restarts("proj-k8sw04", "agent", began)).at(-1);
    assert.ok(cert && first && cert.at < first.from, `${cert?.at} before ${first?.from}`);
    assert.ok(gpu && last && gpu.at > last.to, `${gpu?.at} after ${last?.to}`);
  });

  it("go alone as well, back to what they were, no node touched", async () => {
    await configure({ acceptedVersion: TO });
    const accepted = await up();
    assert.equal(accepted.code, 0, accepted.output);
    const before = (await revisions("gpu-operator")).length;
    await askForOperator("gpu-operator", GPU.from, charts);
    const moved = new Date();
    const preview = await ok("pulumi", "preview", "--non-interactive", "--color=never");
    assert.match(preview, /operators-lock/);
    assert.doesNotMatch(preview, /settled-release/);
    const running = await startUp();
    await printed(running, /operators-gate (updated|created)/, 3);
    await ok("kubectl", "-n", "kube-system", "get", "lease", "rke2-upgrade");
    const { code, output } = await running.ended;
    assert.equal(code, 0, output);
    assert.equal(await runs("gpu-operator"), GPU.from);
    assert.equal((await revisions("gpu-operator")).length, before + 1);
    assert.deepEqual(await restarts("proj-k8sm01", "server", moved), []);
    assert.equal((await statuses("gpu-operator")).at(-1), "deployed");
    const lease = await run(["kubectl", "-n", "kube-system", "get", "lease", "rke2-upgrade"]);
    assert.match(lease.output, /not found/i);
  });
});
