import assert from "node:assert/strict";
import fc from "fast-check";
import { plainText } from "../../notify/plainText";

describe("notify/plainText", () => {
  it("takes out what a terminal would obey, and leaves what people read", () => {
    assert.equal(plainText("a\tb\r\nc\u001b[2Jd\u009b1Ae\rf\u0007 – ü\n"), "a\tb\nc[2Jd1Aef – ü\n");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.doesNotMatch(plainText(text).replace(/[\n\t]/g, ""), /\p{Cc}/u);
      }),
    );
  });
});
