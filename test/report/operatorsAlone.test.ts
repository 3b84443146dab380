/** Operators or Rancher that move with no RKE2 version and no round of OS patches: what the record says of that. */
import assert from "node:assert/strict";
import { titleOf } from "../../components/announce";
import { movesOf, type OperatorSeen } from "../../config";
import { announcementOf } from "../../report/announcement";
import { ifItFails } from "../../report/live/ifItFails";
import { begun, ended } from "../../report/live/runEvents";
import type { PlanInputs } from "../../report/plan";
import { planDocument } from "../../report/render/planDocument";
import { reportDocument } from "../../report/render/reportDocument";
import { reportRecord } from "../../report/report";
import { missingSignOff } from "../../report/signOff";
import { evidenceWith, historyEntry, inputsOf, planned, seenOf, settingsOf, TO } from "./fixtures";
import { statusAt } from "./live/statusFixture";
import { planFile } from "./standInPulumi";

const operator = { name: "cert-manager", namespace: "certs", chart: "cert-manager", version: "v1.21.2" };
const settings = settingsOf({
  acceptedVersion: TO,
  operators: [{ ...operator, when: "before", repo: "https://charts.jetstack.io" }],
  rancherVersion: "2.15.1",
  signOff: { required: true },
});
const AT = "2026-11-24T12:00:00Z";
const older: OperatorSeen[] = [
  { name: "rancher", version: "2.15.1", moves: false },
  { name: "cert-manager", version: "v1.20.0", moves: true },
];
const MOVES = "cert-manager v1.20.0 → v1.21.2";

/** @param release what Pulumi plans for the release of the way back @param operations what it shows in its preview */
function requestOf(
  operators: OperatorSeen[],
  release: "create" | "same" = "same",
  operations: Record<string, string> = {},
) {
  const preview: PlanInputs["preview"] = {
    ...inputsOf(settings).preview,
    plan: planFile({ "settled-release": [release] }),
    operations: new Map(Object.entries(operations)),
    seen: seenOf(settings, { operators, wayBack: [] }),
  };
  return planned(settings, { preview });
}

describe("operators alone", () => {
  const request = requestOf(older);

  it("are named where the change request, its announcement and preview say what is done", () => {
    assert.deepEqual(
      request.operators?.map(({ name, from, to }) => [name, from, to]),
      [["cert-manager", "v1.20.0", "v1.21.2"]],
    );
    assert.match(
      request.summary,
      new RegExp(`^${MOVES}.*every node is proven, nothing is installed on it; about`),
    );
    assert.equal(planDocument(request).title, `CR-1: ${MOVES}; RKE2 stays on ${TO}`);
    const span = { start: new Date(AT), end: new Date(AT) };
    assert.match(announcementOf(request, span).subject, new RegExp(`^CR-1: ${MOVES}, `));
    assert.match(titleOf(settings, movesOf(settings, older)), new RegExp(`^CR-1: ${MOVES}; settled on `));
    assert.match(titleOf(settings, []), /^settled on .*nothing is installed$/);
  });

  it("are named by the run, its status and its report", () => {
    assert.match(begun(request, AT, 1, "ops").text, new RegExp(`^moving ${MOVES}, then proving RKE2 `));
    assert.match(
      ended(request, new Map(), AT, 0, []).text,
      new RegExp(`done: ${MOVES}; RKE2 .*nothing is left`),
    );
    assert.match(
      statusAt({ plan: request, settings, progress: new Map() }).does,
      new RegExp(`^${MOVES}; RKE2 stays`),
    );
    const evidence = evidenceWith(settings, [historyEntry(settings, 0, "succeeded")]);
    const report = reportRecord(evidence, request, "e".repeat(64));
    assert.equal(report.outcome, "settled");
    assert.match(
      reportDocument(report, request).verdict.text,
      new RegExp(`^Moved: ${MOVES}\\. Every node was proven`),
    );
  });

  it("say how each goes back, and what that loses", () => {
    const fails = (operators: OperatorSeen[]) =>
      ifItFails(settings, requestOf(operators), new Map(), new Date(AT), undefined);
    assert.match(fails(older).next[1] ?? "", /^cert-manager goes back by itself: set its version v1\.20\.0/);
    assert.equal(fails(older).lost, "nothing; its CRDs stay");
    const rancher = fails([{ name: "rancher", version: "2.14.3", moves: true }]);
    assert.match(rancher.next[1] ?? "", /rancherVersion 2\.14\.3, and rancher\.restore .*docs\/rancher\.md/);
    assert.match(rancher.lost, /changed in Rancher since its export/);
    const first = fails([{ name: "cert-manager", moves: true }]);
    assert.match(first.next[1] ?? "", /no release of before is known/);
    assert.equal(fails([]).lost, "nothing: this run installs nothing");
  });

  it("move by Pulumi's word too: other values are no other version", () => {
    const as = older.map((one) => ({ ...one, version: one.version?.replace("20.0", "21.2"), moves: false }));
    assert.equal(requestOf(as).operators, undefined);
    const { summary } = requestOf(as, "same", { "operator-cert-manager-release": "update" });
    assert.match(summary, /^cert-manager v1\.21\.2 anew/);
  });

  const at = { now: new Date("2026-11-29T06:00:00Z"), upgraded: undefined };

  it("are no acceptance that Operations sign off; one that lets a way back go is, whatever moves beside it", () => {
    assert.equal(missingSignOff(settings, request, at), undefined);
    const accepting = requestOf(older, "create");
    assert.match(accepting.summary, /the way back is let go/);
    assert.match(
      missingSignOff(settings, accepting, at)?.missing ?? "",
      /have not signed the validation off/,
    );
    // A request from before this was told.
    assert.ok(missingSignOff(settings, { direction: "settled" }, at));
  });
});
