import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { judgeLeftOut } from "../../../components/recovery/leftOut";

describe("components/recovery/leftOut", () => {
  it("leaves out what does not answer; what answers only where the others are on their way back", () => {
    const dead = { missing: "no route to host" };
    const lives = { value: {} };
    const verdict = (...args: Parameters<typeof judgeLeftOut>) => judgeLeftOut(...args).verdict;
    assert.equal(verdict("proj-k8sw01", dead, false), "warn");
    assert.equal(verdict("proj-k8sw01", lives, true), "warn");
    assert.equal(verdict("proj-k8sw01", lives, false), "fail");
    assert.match(
      judgeLeftOut("proj-k8sw01", lives, false).next ?? "",
      /take proj-k8sw01 out of goBack\.without/,
    );
  });
});
