/**
 * The restore test on the real engine: a server's snapshot cloned and booted unplugged, an etcd snapshot restored in it,
 * killed in the middle, run again. The change that it belongs to is withdrawn at the end, before any node was touched.
 */
import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { setFault } from "../../rehearsal/lab/faults";
import { ControlGroup } from "../../rehearsal/machines/controlGroup";
import { Machine } from "../../rehearsal/machines/machine";
import { until } from "../../rehearsal/machines/poll";
import { machineDirectory } from "../../rehearsal/machines/record";
import { run as runOnHost } from "../../rehearsal/machines/run";
import { identities, proxmox, snapshots } from "../e2e/history";
import { cancel, configure, type Ended, killAll, onNode, startUp, up } from "../e2e/operator";
import { printed } from "../e2e/watch";

const FROM = "v1.35.4+rke2r1";
const TO = "v1.36.3+rke2r1";
const TEST_VM = 9900;

/** Ends the engine and all that it has started, at once: plugins and the step at work included. */
const killEverything = (): Promise<void> => new ControlGroup("operator").kill();

const testVm = async () =>
  (await proxmox<{ vmid: number; node: string }[]>("/cluster/resources?type=vm")).find(
    ({ vmid }) => vmid === TEST_VM,
  );
/** By its host's own word: what the cluster's list tells of a machine is ten seconds old. */
const runs = async () => {
  const found = await testVm();
  if (!found) return false;
  const { status } = await proxmox<{ status: string }>(`/nodes/${found.node}/qemu/${TEST_VM}/status/current`);
  return status === "running";
};

/** The etcd snapshot that lies in the first server's VM snapshot, on the disk that Proxmox VE keeps of it. */
async function snapshotInSnapshot(): Promise<string> {
  const folder = join(machineDirectory("proj-k8sm01"), "snapshots");
  const found = await readdir(folder, { recursive: true });
  const [file, ...others] = found.filter((name) => /\/db\/snapshots\/rke2point-/.test(name));
  assert.ok(file && others.length === 0, `${found.length} files`);
  return join(folder, file);
}

describe("the restore test", function () {
  this.timeout(10 * 60_000);
  this.bail(true);

  let untouched: Awaited<ReturnType<typeof identities>>;
  let first = "";
  let second = "";

  before(async () => {
    const { code, output } = await up();
    assert.equal(code, 0, output);
    untouched = await identities();
    await configure({ rke2Version: TO });
    await setFault(["agent-down", "proj-k8sm02", "on"]);
  });

  after(async () => {
    await setFault(["agent-down", "proj-k8sm02", "off"]);
  });

  it("boots the clone with its cable out, and an engine killed in the middle leaves it", async () => {
    const running = await startUp();
    const booted = async () => (await runs()) && (await Machine.byVmId(TEST_VM)).pid();
    const ended = running.ended.then(({ output }): never => assert.fail(`up ended first:\n${output}`));
    await Promise.race([until("the test VM", 300, booted), ended]);
    const { namespace } = (await Machine.byVmId(TEST_VM)).card;
    const link = await runOnHost("ip", ["-n", namespace, "-o", "link", "show", "eth0"]);
    assert.match(link, /NO-CARRIER/);
    await killEverything();
    first = (await running.ended.catch((): Ended => ({ code: null, output: "" }))).output || running.output();
    assert.ok(await runs());
  });

  it("fails where the snapshot's disk holds another etcd snapshot than was saved, and leaves no VM", async () => {
    await cancel();
    const file = await snapshotInSnapshot();
    const whole = await readFile(file);
    await writeFile(file, Buffer.concat([Buffer.from([(whole[0] ?? 0) ^ 1]), whole.subarray(1)]));
    const { code, output } = await up();
    await writeFile(file, whole);
    assert.notEqual(code, 0);
    assert.match(output, /restore test of \S+ \(VM 3001, cloned to 9900\) failed, nothing was touched/);
    assert.match(output, /has sha256 [0-9a-f]{64} in the VM snapshot, [0-9a-f]{64} when it was saved/);
    assert.equal(await testVm(), undefined);
    assert.deepEqual(await identities(), untouched);
  });

  it("is run again: the snapshot is restored, and no VM is left", async () => {
    const running = await startUp();
    await printed(running, /restore test passed: snapshot rke2-v1-35-4-r1-\S+ of proj-k8sm01 boots/, 8);
    assert.equal(await testVm(), undefined);
    // As Ctrl-C: what is at work ends, nothing more begins, and no lock is left.
    killAll(running, "SIGINT");
    second =
      (await running.ended.catch((): Ended => ({ code: null, output: "" }))).output || running.output();
    const [, unchanged, keys, missing] =
      /(\d+) of (\d+) keys as they were saved, \d+ written since, (\d+) missing/.exec(second) ?? [];
    assert.ok(Number(keys) > 300, second);
    assert.ok(Number(unchanged) * 2 > Number(keys) && Number(missing) * 100 <= Number(keys), second);
  });

  it("a snapshot whose file systems were not frozen is told to be crash-consistent, any other is not", () => {
    const told = [...`${first}${second}`.matchAll(/VM (\d+): snapshot \S+ is crash-consistent/g)].map(
      ([, vm]) => vm,
    );
    assert.deepEqual([...new Set(told)], ["3002"]);
  });

  it("nothing was touched: the change is withdrawn, and its snapshots go", async () => {
    assert.deepEqual(await identities(), untouched);
    await configure({ rke2Version: FROM });
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.deepEqual(await snapshots(), []);
    assert.equal(await testVm(), undefined);
    const kept = "sudo ls /var/lib/rancher/rke2/server/db/snapshots /var/lib/rke2-upgrade";
    assert.doesNotMatch(await onNode("proj-k8sm01", kept), /rke2point|restore-point/);
  });
});
