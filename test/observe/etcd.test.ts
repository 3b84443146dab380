import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { holdTheSame, type MemberFacts, notOne } from "../../observe";

const NAMES = ["sm01", "sm02", "sm03"];

/** Three members that are one etcd, one of them altered. */
const members = (second: Partial<MemberFacts> = {}): MemberFacts[] =>
  NAMES.map((server, i) => ({
    ...{ server, clusterId: "c", members: NAMES, leader: "1", alarms: [] },
    ...{ revision: "100", hash: "77", compactedAt: "50" },
    ...(i === 1 ? second : {}),
  }));

describe("observe/etcd", () => {
  it("takes members with one hash for the same data, and cannot tell where they compacted a moment apart", () => {
    assert.equal(holdTheSame(members()), true);
    assert.equal(holdTheSame(members({ hash: "78" })), false);
    assert.equal(holdTheSame(members({ clusterId: "d", compactedAt: "51" })), false);
    assert.equal(holdTheSame(members({ hash: "78", compactedAt: "51" })), undefined);
  });

  it("takes etcd's alarm of corruption as it is, whatever the hashes; not that of space", () => {
    assert.equal(holdTheSame(members({ alarms: ["CORRUPT"] })), false);
    assert.equal(holdTheSame(members({ alarms: ["CORRUPT"], compactedAt: "51" })), false);
    assert.equal(holdTheSame(members({ alarms: ["NOSPACE"] })), true);
  });

  it("says which alarm keeps them from being one and whole", () => {
    assert.deepEqual(notOne(members(), 3), []);
    assert.match(notOne(members({ alarms: ["CORRUPT"] }), 3).join(), /sm02 .*alarms: CORRUPT; wanted 3/);
  });
});
