/**
 * Rancher alone, with its export: an export that never completes and a hook that fails stop the run before anything is
 * touched, and the same run goes on; back with its data; then together with Kubernetes, before it. One story in order.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decrypter } from "age-encryption";
import { after, before, describe, it } from "mocha";
import { operator } from "../../rehearsal/lab/operator";
import { revisions } from "../e2e/helm";
import { restarts, versions } from "../e2e/history";
import { configure, ok, onNode, run, up } from "../e2e/operator";
import {
  askForRancher,
  type Export,
  exported,
  KEEPER,
  makeRancher,
  NEW_RANCHER as NEW,
  OLD_RANCHER as OLD,
  rancherAt,
  rancherRuns,
} from "../e2e/rancher";

const TO = "v1.36.3+rke2r1";
const FOLDER = "/var/lib/rancher-backups";

describe("Rancher in a change", function () {
  this.timeout(20 * 60_000);
  this.bail(true);

  const charts = mkdtempSync(join(tmpdir(), "rancher-"));
  const began = new Date();
  let back: Export;

  const ask = (version: string) => askForRancher(version, charts);
  const history = () => revisions("rancher", "cattle-system");
  const statuses = async () => (await history()).map(({ status }) => status);

  before(async () => {
    await makeRancher();
    await configure({
      "limits.soakServerSeconds": "2",
      "limits.soakAgentSeconds": "2",
      "restoreTest.enabled": "false",
    });
    await ask(OLD);
  });

  after(() => rmSync(charts, { recursive: true, force: true }));

  it("is installed by the run that adopts the cluster, and serves", async () => {
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.deepEqual(await statuses(), ["deployed"]);
    assert.deepEqual(await rancherRuns(), rancherAt(OLD));
    assert.equal((await exported())?.file, "", "there was nothing to export");
  });

  it("is shown with what it becomes, and what stands against it", async () => {
    await ask(NEW);
    const away =
      '{"status":{"conditions":[{"type":"Ready","status":"True"},{"type":"Connected","status":"False"}]}}';
    const cluster = "clusters.management.cattle.io/c-m-x7z2kq4p";
    await ok("kubectl", "patch", cluster, "--type=merge", "-p", away);
    const { code, output } = await up();
    assert.notEqual(code, 0, output);
    assert.match(output, /rancher: its clusters: not so: c-m-x7z2kq4p \(telescope\)/);
    assert.deepEqual(await statuses(), ["deployed"]);
    await ok("kubectl", "patch", cluster, "--type=merge", "-p", away.replace("False", "True"));
    const shown = await run(["pulumi", "preview", "--non-interactive", "--color=never"]);
    assert.equal(shown.code, 0, shown.output);
    assert.match(shown.output, /ok {2}rancher: version: v2\.14\.3, by its server's own word/);
    assert.match(shown.output, /have rancher-backup export Rancher.*\n.*cattle-system\/rancher at 2\.15\.1/);
  });

  it("stops at an export that does not complete, nothing touched", async () => {
    await onNode(KEEPER, `sudo sh -c 'mv ${FOLDER} ${FOLDER}.away 2>/dev/null; touch ${FOLDER}'`);
    await configure({ "rancher.backup.timeoutSeconds": "10" });
    const { code, output } = await up();
    assert.notEqual(code, 0, output);
    assert.match(
      output,
      /rancher-backup has not completed rke2up-cr-2026-041-2\.14\.3 after 10 s: Reconciling=True/,
    );
    assert.match(output, /next: kubectl describe backups/);
    assert.deepEqual(await statuses(), ["deployed"]);
    assert.deepEqual(await rancherRuns(), rancherAt(OLD));
    await onNode(
      KEEPER,
      `sudo sh -c 'rm ${FOLDER}; mv ${FOLDER}.away ${FOLDER} 2>/dev/null || mkdir ${FOLDER}'`,
    );
  });

  it("goes on to a hook that fails, its configuration out of the cluster by then, encrypted", async () => {
    await configure({ "rancher.backup.timeoutSeconds": "60", "rancher.values.preUpgrade.exitCode": "1" });
    const { code, output } = await up();
    assert.notEqual(code, 0, output);
    assert.match(output, /Helm release "cattle-system\/rancher" failed.*pre-upgrade hooks failed/s);
    assert.deepEqual(await statuses(), ["deployed", "failed"]);
    assert.deepEqual(await rancherRuns(), rancherAt(OLD));
    const one = await exported();
    assert.ok(one, "no export in the state");
    back = one;
    assert.equal(back.version, `v${OLD}`);
    const decrypter = new Decrypter();
    for (const line of readFileSync(operator.backupKey, "utf8").split("\n"))
      if (line.startsWith("AGE-SECRET-KEY-")) decrypter.addIdentity(line.trim());
    const archive = join(charts, "export.tar.gz");
    writeFileSync(archive, await decrypter.decrypt(readFileSync(back.file)));
    const sum = execFileSync("sha256sum", [archive], { encoding: "utf8" }).slice(0, 64);
    assert.equal(sum, back.sha256);
    const there = await onNode(KEEPER, `sudo sha256sum ${FOLDER}/${back.restore}`);
    assert.equal(there.slice(0, 64), sum);
    const inside = "./settings.management.cattle.io#v3/server-version.json";
    const kept = execFileSync("tar", ["-xOzf", archive, inside], { encoding: "utf8" });
    assert.equal(JSON.parse(kept).value, `v${OLD}`);
  });

  it("goes on where the run stopped, is proven, and exports nothing twice", async () => {
    await configure({ "rancher.values.preUpgrade.exitCode": "0" });
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.equal((await statuses()).at(-1), "deployed");
    assert.deepEqual(await rancherRuns(), rancherAt(NEW));
    assert.equal((await exported())?.file, back.file);
  });

  it("goes back with its data, and with an export alone", async () => {
    // What only the newer one has written.
    const written = {
      apiVersion: "management.cattle.io/v3",
      kind: "Setting",
      metadata: { name: "new-in-2-15" },
    };
    writeFileSync(join(charts, "written.json"), JSON.stringify(written));
    await ok("kubectl", "create", "--filename", join(charts, "written.json"));
    await ask(OLD);
    const refused = await up();
    assert.notEqual(refused.code, 0, refused.output);
    assert.match(refused.output, /rancher: version: v2\.15\.1.*rancher\.restore/);
    assert.deepEqual(await rancherRuns(), rancherAt(NEW));
    await configure({ "rancher.restore": back.restore });
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.deepEqual(await rancherRuns(), rancherAt(OLD));
    const settings = await ok("kubectl", "get", "settings.management.cattle.io", "--output=name");
    assert.ok(!settings.includes("new-in-2-15"), settings);
    assert.equal((await exported())?.version, `v${NEW}`, "what ran was exported before");
    assert.deepEqual(await restarts("proj-k8sm01", "server", began), [], "no node was touched");
  });

  it("goes with Kubernetes, before it, with an export of its own", async () => {
    await ok("pulumi", "config", "rm", "--path", "rke2-upgrade:rancher.restore");
    await ask(NEW);
    await configure({ rke2Version: TO });
    const moved = new Date();
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.deepEqual(await rancherRuns(), rancherAt(NEW));
    assert.deepEqual(new Set(Object.values(await versions())), new Set([TO]));
    const [last] = (await history()).slice(-1);
    const [first] = await restarts("proj-k8sm01", "server", moved);
    assert.ok(last && first && last.at < first.from, `${last?.at} before ${first?.from}`);
    const one = await exported();
    assert.equal(one?.version, `v${OLD}`);
    assert.notEqual(one?.file, back.file);
  });
});
