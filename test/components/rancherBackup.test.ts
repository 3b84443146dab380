import assert from "node:assert/strict";
import { providerBefore } from "../../components/rancherBackupProvider";
import { parseSettings } from "../../config";
import { lab } from "../config/lab";

const OLD = "v2.14.3";
const HOUR = 3_600_000;

describe("components/rancherBackupProvider", () => {
  let takes: number;
  let runs: string | Error;
  let restore: string | undefined;
  let settled: boolean;
  let untouched: boolean;
  const export_ = (version: string, takenAt = new Date()) => ({
    ...{
      file: `/backups/rancher-${takes}.age`,
      restore: `${takes}.tar.gz`,
      sha256: "",
      bytes: 1,
      node: "m01",
    },
    ...{ version, takenAt: takenAt.toISOString() },
  });
  const provider = providerBefore({
    context: () => ({
      settings: parseSettings(
        lab({
          rke2Version: "v1.36.3+rke2r1",
          acceptedVersion: settled ? "v1.36.3+rke2r1" : "v1.35.4+rke2r1",
          rancherVersion: restore ? "2.14.3" : "2.15.1",
          rancher: { ...(restore && { restore }) },
        }),
      ),
      sshPrivateKey: "",
      proxmoxTokenSecret: "",
    }),
    running: async () => {
      if (runs instanceof Error) throw runs;
      return runs;
    },
    nothingTouched: async () => untouched,
    take: async () => {
      takes += 1;
      return export_(String(runs));
    },
  });
  const inputs = { changeId: "CR-1", wanted: "v1", rancherVersion: "2.15.1" };
  const left = (hours: number, more: object = {}) => ({
    ...inputs,
    ...export_(OLD, new Date(Date.now() - hours * HOUR)),
    ...more,
  });
  const diff = async (olds: ReturnType<typeof left>, news: object = {}) =>
    provider.diff?.("id", olds, { ...inputs, ...news });
  const changes = async (...given: Parameters<typeof diff>) => (await diff(...given))?.changes;

  beforeEach(() => {
    takes = 0;
    runs = OLD;
    restore = undefined;
    settled = false;
    untouched = false;
  });

  it("is taken anew for each thing that a change asks for", async () => {
    assert.deepEqual(await diff(left(0), { changeId: "CR-2" }), { changes: true, replaces: ["changeId"] });
    assert.equal(await changes(left(0)), false);
  });

  it("is renewed once it is as old as no VM snapshot may be, while Rancher has not moved", async () => {
    assert.equal(await changes(left(23)), false);
    assert.equal(await changes(left(25)), true);
    const updated = await provider.update?.("id", left(25), inputs);
    assert.equal(takes, 1);
    assert.deepEqual([updated?.outs?.file, updated?.outs?.version], ["/backups/rancher-1.age", OLD]);
    assert.equal(await changes(updated?.outs as ReturnType<typeof left>), false, "nothing is exported twice");
  });

  it("is renewed in a plain version bump too, while it is under way and no node is touched", async () => {
    for (const rancherVersion of ["", "2.14.3"]) {
      const stale = () => changes(left(25, { rancherVersion }), { rancherVersion });
      untouched = true;
      assert.equal(await stale(), true);
      assert.equal(await changes(left(23, { rancherVersion }), { rancherVersion }), false);
      runs = "v2.15.1";
      assert.equal(await stale(), false);
      runs = OLD;
      settled = true;
      assert.equal(await stale(), false);
      settled = untouched = false;
      assert.equal(await stale(), false);
    }
  });

  it("stays what it is once Rancher has moved, where it is not to move, goes back, or none had run", async () => {
    runs = "v2.15.1";
    assert.equal(await changes(left(25)), false);
    runs = OLD;
    assert.equal(await changes(left(25, { rancherVersion: "" }), { rancherVersion: "" }), false);
    assert.equal(await changes(left(25, { rancherVersion: "2.14.3" }), { rancherVersion: "2.14.3" }), false);
    assert.equal(await changes(left(25, { version: "", file: "" })), false);
    restore = "rke2up-cr-1-2.14.3-0b450532-cee1-4aa1-a881-f5f48a007b1c-2026-11-24T07-27-09Z.tar.gz";
    runs = "v2.15.1";
    assert.equal(
      await changes(left(25, { version: runs, rancherVersion: "2.14.3" }), { rancherVersion: "2.14.3" }),
      false,
    );
  });

  it("stops where nobody says what runs, and replaces nothing by an export of a Rancher that has moved meanwhile", async () => {
    runs = new Error("nobody answers");
    assert.equal(await changes(left(25)), true);
    await assert.rejects(async () => provider.update?.("id", left(25), inputs), /nobody answers/);
    runs = "v2.15.1";
    const updated = await provider.update?.("id", left(25), inputs);
    assert.deepEqual([takes, updated?.outs?.version], [0, OLD]);
  });
});
