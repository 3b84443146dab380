import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wholeOf } from "../../report/wholeFile";

const SIZE = 8_000_000;
const WRITER = `
const { writeWhole } = require("./report/wholeFile");
(async () => {
  for (let n = 0; ; n = (n + 1) % 10) {
    await writeWhole(process.argv[1], String(n).repeat(${SIZE}));
    process.stdout.write("x");
  }
})();`;

describe("report/wholeFile", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "whole-test-"));
  after(() => rmSync(folder, { recursive: true }));

  it("leaves a whole file to whoever comes after a kill, and names what was not whole", async () => {
    const file = join(folder, "record.jsonl");
    const args = ["--require", "ts-node/register/transpile-only", "--eval", WRITER, file];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const closed = once(child, "close");
    // What is there at any instant is what a kill at that instant leaves.
    for (let i = 0; i < 20; i++) {
      await once(child.stdout, "data");
      const text = readFileSync(file, "utf8");
      assert.equal(text.length, SIZE);
      assert.ok(text === text[0]?.repeat(SIZE));
    }
    child.kill("SIGKILL");
    await closed;
    for (const name of readdirSync(folder))
      assert.ok(name === "record.jsonl" || wholeOf(name) === "record.jsonl", name);
    assert.equal(wholeOf("record.jsonl"), undefined);
  });
});
