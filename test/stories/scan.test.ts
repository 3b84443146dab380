/**
 * What was changed by hand is not trampled, and nothing may fail newly: drift stops an up until it is acknowledged by
 * name, a new failure of the scan stops its node's turn and acceptance, and all of it with no way out to the internet. One
 * story in order.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "mocha";
import { setFault } from "../../rehearsal/lab/faults";
import { readInfo } from "../../rehearsal/lab/info";
import { runDirectory } from "../../rehearsal/machines/paths";
import { identities, info, snapshots, versions } from "../e2e/history";
import { configure, ok, onNode, run, startUp, up } from "../e2e/operator";
import { printed } from "../e2e/watch";

const FROM = "v1.35.4+rke2r1";
const TO = "v1.36.3+rke2r1";
const CONFIG = "/etc/rancher/rke2/config.yaml";
/** The node that is made worse in its turn. */
const FIRST = "proj-k8sm01";
const FAULT = ["scan-new-failure", FIRST];

/** One node's scan, as the stack's output has it. */
interface Scanned {
  readonly checks: Record<string, string>;
  readonly fail: number;
  readonly benchmark: string;
  readonly new?: string;
}

/** By when, then by node. */
type Scans = Partial<Record<string, Record<string, Scanned>>>;

describe("drift and the compliance scan", function () {
  this.timeout(25 * 60_000);
  this.bail(true);

  /** How the drift of proj-k8sw01 is taken on, as the program says. */
  let name = "";
  const scans = async () => JSON.parse(await ok("pulumi", "stack", "output", "scans", "--json")) as Scans;

  before(async () => {
    const adopted = await up();
    assert.equal(adopted.code, 0, adopted.output);
    const { scan } = await readInfo();
    await configure({
      "limits.soakServerSeconds": "5",
      "limits.soakAgentSeconds": "3",
      "restoreTest.enabled": "false",
      "scan.url": scan.url,
      "scan.sha256": scan.sha256,
      rke2Version: TO,
    });
  });

  it("shows a config file that somebody has changed since, and stops an up before any node is touched", async () => {
    await onNode("proj-k8sw01", `echo '# by hand' | sudo tee -a ${CONFIG} >/dev/null`);
    const untouched = await identities();
    const { code, output } = await up();
    assert.notEqual(code, 0, output);
    const said = output.slice(output.indexOf("nothing was touched"));
    assert.match(
      said,
      /nothing was touched: 1 of the checks .*- proj-k8sw01: as the last run left it: changed by hand: config\.yaml [0-9a-f]{8}; wanted .*\n\s*next: find out who/s,
    );
    name = /add "(proj-k8sw01 config\.yaml [0-9a-f]{8})"/.exec(said)?.[1] ?? "";
    assert.ok(name, said);
    assert.ok(!output.includes((await onNode("proj-k8sw01", `sudo sha256sum ${CONFIG}`)).slice(0, 64)));
    assert.deepEqual(await identities(), untouched);
    assert.deepEqual(await snapshots(), []);
  });

  it("goes on once it is acknowledged by name, scans every node, and stops in the turn of the one where something fails newly", async () => {
    await configure({ "acknowledge[0]": name });
    const running = await startUp();
    // RKE2 sets that file right when it starts.
    await printed(running, /proj-k8sm01-restart created/, 10);
    await setFault([...FAULT, "on"]);
    const { code, output } = await running.ended;
    assert.notEqual(code, 0, output);
    assert.match(
      output,
      /proj-k8sm01: scan: the scan has new failures since before the change: 4\.1\.5 Ensure that the kubelet's kubeconfig has permissions of 600.*\n.*next: mend them on this node .*'rke2-upgrade:scan\.acknowledged\[0\]\.id' 4\.1\.5/s,
    );
    const now = await versions();
    for (const { name } of (await info()).nodes) assert.equal(now[name], name === FIRST ? TO : FROM, name);
    assert.equal((await snapshots()).length, (await info()).nodes.length);
  });

  it("goes on once that is acknowledged by its number and a reason, with every check's status as data", async () => {
    await configure({
      "scan.acknowledged[0].id": "4.1.5",
      "scan.acknowledged[0].reason": "mended by CR-2026-042",
    });
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.match(output, /scan\.acknowledged\[0\]: check 4\.1\.5 may fail newly: mended by CR-2026-042/);
    assert.match(output, /proj-k8sw01: as the last run left it: unchanged/);
    const { before, after } = await scans();
    assert.ok(before && after);
    for (const { name, role } of (await info()).nodes) {
      const then: Scanned | undefined = before[name];
      const now: Scanned | undefined = after[name];
      assert.ok(then && now, name);
      assert.equal(then.benchmark, "rke2-cis-1.7");
      assert.equal(then.checks["4.1.5"], "PASS", name);
      assert.equal(now.checks["4.1.5"], name === FIRST ? "FAIL" : "PASS", name);
      assert.equal(now.new, name === FIRST ? "4.1.5" : "", name);
      assert.equal("1.2.6" in now.checks, role === "server");
      const failing: number = Object.values(now.checks).filter((status) => status === "FAIL").length;
      assert.equal(now.fail, failing);
    }
  });

  it("lets nothing go while acceptance sees a new failure that is acknowledged no more, and everything once it is mended", async () => {
    await ok("pulumi", "config", "rm", "--path", "rke2-upgrade:scan.acknowledged");
    await configure({ acceptedVersion: TO });
    const kept = await snapshots();
    const refused = await up();
    assert.notEqual(refused.code, 0, refused.output);
    assert.match(
      refused.output,
      /proj-k8sm01: scan: the scan has new failures since before the change: 4\.1\.5 /,
    );
    assert.deepEqual(await snapshots(), kept);
    await setFault([...FAULT, "off"]);
    const { code, output } = await up();
    assert.equal(code, 0, output);
    assert.deepEqual(await snapshots(), []);
    assert.equal((await scans()).accept?.[FIRST]?.new, "");
  });

  it("asked nobody but the lab's own mirror, and could have asked nobody else", async () => {
    const log = await readFile(join(runDirectory, "releases.log"), "utf8");
    const asked = new Set([...log.matchAll(/ (?:GET|HEAD) (\S+) /g)].map(([, path]) => path ?? ""));
    assert.ok(
      [...asked].some((path) => path.startsWith("/kube-bench/")),
      log,
    );
    assert.deepEqual(
      [...asked].filter(
        (path) => !/^\/(kube-bench\/|rke2\/releases\/download\/v|monitoring\/login$|$)/.test(path),
      ),
      [],
    );
    // Neither a node nor this machine, as the lab's operator sits there, has a way out.
    const outside = "curl -sS --connect-timeout 3 -o /dev/null https://1.1.1.1";
    for (const { code, output } of [await run(["ssh", FIRST, outside]), await run(["bash", "-c", outside])])
      assert.ok(code === 7 || code === 28, output);
  });
});
