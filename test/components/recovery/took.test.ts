import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { whatItTook } from "../../../components/recovery/took";

const at = (minutes: number) => new Date(Date.UTC(2026, 10, 29, 1, minutes)).toISOString();
const record = { attempt: 3, goBack: "restore", beganAt: at(20) };

describe("components/recovery/took", () => {
  it("counts from the first question to the proof, with attempts that were broken off", () => {
    assert.deepEqual(whatItTook(record, at(50)), { rtoSeconds: 1800, rpoSeconds: 0 });
    const earlier = [{ attempt: 2, goBack: "reinstall", beganAt: at(10) }];
    assert.equal(whatItTook({ ...record, earlier }, at(50)).rtoSeconds, 2400);
  });

  it("counts as lost what could be written until everything stood still, not only until it was begun", () => {
    const placed = { file: "etcd.age", takenAt: at(0), at: at(25) };
    assert.equal(whatItTook({ ...record, placed }, at(50)).rpoSeconds, 1500);
    assert.equal(whatItTook({ ...record, placed: { ...placed, at: undefined } }, at(50)).rpoSeconds, 1200);
  });
});
