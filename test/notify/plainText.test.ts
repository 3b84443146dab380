import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { plainText } from "../../notify/plainText";
import { follow } from "../../report/follow";
import { plain } from "../../report/render/markdown";
import { createRun, nextRun } from "../../report/runFiles";
import { toldLine } from "../../report/told";
import { runAt } from "../report/fixtures";

describe("notify/plainText", () => {
  it("takes out what a terminal would obey, and leaves what people read", () => {
    assert.equal(plainText("a\tb\r\nc\u001b[2Jd\u009b1Ae\rf\u0007 – ü\n"), "a\tb\nc[2Jd1Aef – ü\n");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.doesNotMatch(plainText(text).replace(/[\n\t]/g, ""), /\p{Cc}/u);
      }),
    );
  });

  it("tells so what a receiver answered", () => {
    const told = {
      at: "",
      channel: "webhook",
      kind: "done",
      subject: "",
      outcome: "refused",
      tries: 1,
    } as const;
    assert.equal(
      toldLine({ ...told, detail: "\u001b]0;gone\u0007" }),
      "done by webhook: refused, ]0;gone, 1 try",
    );
  });
});

describe("report/follow", () => {
  it("shows a run's log without what a node put there for the terminal", async () => {
    const directory = mkdtempSync(join(tmpdir(), "follow-test-"));
    const run = await nextRun(directory);
    await createRun(run, runAt(0));
    writeFileSync(run.log, "a node said \u001b[1A\u001b[2Kü\n");
    let shown = "";
    await follow(run, (text) => {
      shown += text;
    });
    assert.equal(shown, "a node said [1A[2Kü\n");
    rmSync(directory, { recursive: true });
  });
});

describe("report/render/markdown", () => {
  it("begins no line where a text has one of any kind", () => {
    assert.equal(plain("a\rb\r\nc\nd"), "a<br>b<br>c<br>d");
  });
});
