import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { parseSettings } from "../../../config";
import { judgeOperatorsWindow, judgeReleases, operatorsSeen, toBeMoved } from "../../../observe";
import type { Look } from "../../../observe/look";
import { parseReleases, type ReleaseFacts, type Releases } from "../../../observe/releases";
import { lab } from "../../config/lab";

const cert = { name: "cert", namespace: "ns", chart: "cert-v1.2.3.tgz", version: "v1.2.3", when: "before" };
const settings = (changes: object = {}) => parseSettings(lab({ operators: [{ ...cert, ...changes }] }));
const facts = (changes: Partial<ReleaseFacts> = {}) => ({
  value: new Map([
    ["ns/cert", { revision: 7, status: "deployed", chart: "cert", version: "v1.2.2", ...changes }],
  ]),
});
const none = new Set<string>();
const held = new Set(["cert"]);

describe("observe/checks/operators", () => {
  it("reads helm's records as the script prints them", () => {
    const record = gzipSync(
      JSON.stringify({ config: { password: "x" }, chart: { metadata: { name: "cert", version: "v1.2.2" } } }),
    ).toString("base64");
    assert.deepEqual(parseReleases(`ns/cert\t7\tdeployed\t${record}\n`), facts().value);
    assert.deepEqual(parseReleases(`ns/cert\t7\tdeployed\t${record}\t0\n`), facts().value);
    assert.deepEqual(parseReleases(`ns/cert\t7\tdeployed\t${record}\t6\n`), facts({ replaced: 6 }).value);
    const still = facts({ status: "failed", deployed: { revision: 5, version: "v1.2.2" } }).value;
    assert.deepEqual(parseReleases(`ns/cert\t7\tfailed\t${record}\t0\t5\t${record}\n`), still);
    assert.deepEqual(parseReleases(""), new Map());
    const charts = "helmchart\tns/cert\tkube-system/cert\nhelmchart\tkube-system/other\tkube-system/other\n";
    assert.deepEqual(
      parseReleases(`${charts}ns/cert\t7\tdeployed\t${record}\t0\n`),
      facts({ helmChart: "kube-system/cert" }).value,
    );
  });

  it("tells from → to and the place in the order", () => {
    const [finding] = judgeReleases(settings(), facts());
    assert.equal(finding?.found, "v1.2.2 of cert, deployed, revision 7");
    assert.equal(finding?.wanted, "v1.2.3, before the first server");
    assert.equal(finding?.verdict, "pass");
  });

  const cases: [string, object, Partial<ReleaseFacts> | undefined, Set<string>, string, RegExp?][] = [
    ["lets a new one through", {}, undefined, none, "pass"],
    ["lets one that this stack holds through", {}, {}, held, "pass"],
    ["lets one that failed be upgraded again", {}, { status: "failed" }, held, "pass"],
    ["refuses somebody else's", {}, {}, none, "fail", /adopt: true/],
    ["takes it over where that is asked for", { adopt: true }, {}, none, "pass"],
    [
      "takes over nothing of helm-controller's",
      { adopt: true },
      { helmChart: "a/b" },
      none,
      "fail",
      /HelmChart a\/b, /,
    ],
    ["has nothing to adopt", { adopt: true }, undefined, none, "fail", /take adopt out/],
    ["refuses while helm is at work", {}, { status: "pending-upgrade" }, held, "fail", /-n ns rollback cert/],
    ["rolls back no first install", {}, { status: "pending-install" }, held, "fail", /-n ns uninstall cert/],
    ["ends an uninstall", {}, { status: "uninstalling" }, held, "fail", /-n ns uninstall cert, .*refresh/],
  ];
  for (const [title, changes, live, known, verdict, next] of cases) {
    it(title, () => {
      const [finding] = judgeReleases(settings(changes), live ? facts(live) : { value: new Map() }, {
        held: known,
      });
      assert.equal(finding?.verdict, verdict);
      if (next) assert.match(finding?.next ?? "", next);
    });
  }

  it("says so where nobody answers", () => {
    assert.equal(judgeReleases(settings(), { missing: "no answer" }, { held })[0]?.verdict, "not measured");
  });

  it("knows nobody's where nobody can tell, as before the first look at a state", () => {
    assert.equal(judgeReleases(settings(), facts())[0]?.verdict, "pass");
    assert.equal(judgeReleases(settings(), facts(), { held: new Set([""]) })[0]?.verdict, "fail");
  });

  it("refuses what was moved by hand, with both ways out of it", () => {
    const [finding] = judgeReleases(settings(), facts(), { held, movedByHand: held });
    assert.equal(finding?.verdict, "fail");
    assert.match(finding?.next ?? "", /helm -n ns rollback cert REVISION .*set its version to v1\.2\.2/);
  });

  it("holds no node in its turn up for what comes after the nodes, or is not moved at all", () => {
    const verdict = (when: string, live: Look<Releases>, known: object) =>
      judgeReleases(settings({ when }), live, { held, ...known })[0]?.verdict;
    const pending = facts({ status: "pending-upgrade" });
    assert.equal(verdict("after", pending, {}), "fail");
    assert.equal(verdict("after", pending, { inTurn: true }), "warn");
    assert.equal(verdict("after", { missing: "no answer" }, { inTurn: true }), "warn");
    assert.equal(verdict("after", facts(), { inTurn: true }), "pass");
    assert.equal(verdict("before", pending, { inTurn: true }), "fail");
    assert.equal(verdict("before", facts(), { inTurn: true, movedByHand: held }), "warn");
  });

  it("moves what is not deployed at its version", () => {
    assert.equal(toBeMoved(settings(), facts().value).length, 1);
    assert.equal(toBeMoved(settings(), facts({ version: "1.2.3" }).value).length, 0);
    assert.equal(toBeMoved(settings(), facts({ version: "1.2.3", status: "failed" }).value).length, 1);
    assert.equal(toBeMoved(settings(), new Map()).length, 1);
  });

  it("tells what is there of each, by what still is deployed where the last try failed", () => {
    const seen = (live: Look<Releases>) => operatorsSeen(settings(), live)[0];
    assert.deepEqual(seen(facts()), { name: "cert", version: "v1.2.2", moves: true });
    assert.deepEqual(seen(facts({ version: "1.2.3" })), { name: "cert", version: "1.2.3", moves: false });
    const deployed = { revision: 5, version: "v1.2.0" };
    assert.equal(seen(facts({ status: "failed", deployed }))?.version, "v1.2.0");
    for (const nobody of [{ missing: "no answer" }, { value: new Map() }])
      assert.deepEqual(seen(nobody), { name: "cert", moves: true });
  });

  it("wants an open window for what moves alone", () => {
    const [sunday, monday] = [new Date("2026-09-06T02:00:00Z"), new Date("2026-09-07T02:00:00Z")];
    assert.deepEqual(judgeOperatorsWindow(settings(), [], monday), []);
    assert.equal(judgeOperatorsWindow(settings(), ["cert"], sunday)[0]?.verdict, "pass");
    assert.equal(judgeOperatorsWindow(settings(), ["cert"], monday)[0]?.verdict, "fail");
    const left = { ...settings(), windowOverride: settings().changeId };
    assert.equal(judgeOperatorsWindow(left, ["cert"], monday)[0]?.verdict, "warn");
  });
});
