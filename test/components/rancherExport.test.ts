import assert from "node:assert/strict";
import { judgeExportAhead } from "../../components/rancherExport";
import { parseSettings } from "../../config";
import { lab } from "../config/lab";
import { FROM, facts, TO } from "../observe/facts";

const settings = (enabled: boolean) =>
  parseSettings(lab({ rke2Version: TO, acceptedVersion: FROM, rancher: { backup: { enabled } } }));
/** rancher-backup writes to S3. */
const S3 = {
  value: { version: "v2.14.3", clusters: [], resourceSets: ["rancher-resource-set-full"], backupPods: 1 },
};
const judged = (seen = facts(), enabled = true) => judgeExportAhead(settings(enabled), seen, S3);

describe("components/rancherExport", () => {
  it("stops a change whose export cannot be fetched before anything is made", () => {
    assert.deepEqual(
      judged().map(({ check, verdict }) => [check, verdict]),
      [["rancher: export", "fail"]],
    );
  });

  it("asks nothing once a node is touched, nor where no export is wanted", () => {
    const upgraded = { versionOnDisk: TO, versionRunning: TO };
    assert.deepEqual(judged(facts({ node: ["proj-k8sm01", upgraded] })), []);
    assert.deepEqual(judged(facts(), false), []);
    assert.deepEqual(judgeExportAhead(settings(true), facts(), undefined), []);
  });
});
