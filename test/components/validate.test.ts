import assert from "node:assert/strict";
import { validate } from "../../components/turns";
import { parseSettings } from "../../config";
import { lab } from "../config/lab";

describe("components/turns: the validation", () => {
  it("is told which pods may be sick, as the checks are", () => {
    const args = (sickPods: string[]) => validate(parseSettings(lab({ consents: { sickPods } }))).args;
    assert.equal(args([])[3], "");
    assert.equal(args(["lab/telescope-*", "lab/old-1"])[3], "lab/telescope-* lab/old-1");
  });
});
