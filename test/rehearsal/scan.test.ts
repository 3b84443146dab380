/** The stand-in for kube-bench: its own JSON, made of what it truly finds in files and command lines. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

const program = join(__dirname, "../../rehearsal/scan/kube-bench");

interface Result {
  test_number: string;
  status: string;
  actual_value: string;
  scored: boolean;
}
interface Output {
  Controls: { version: string; text: string; total_fail: number; tests: { results: Result[] }[] }[];
  Totals: Record<string, number>;
}

describe("rehearsal/scan: the stand-in for kube-bench", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bench-"));
    mkdirSync(join(folder, "cfg/own"), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function run(rows: readonly string[]): Map<string, Result> {
    writeFileSync(join(folder, "cfg/own/node.table"), `# a note\n${rows.join("\n")}\n`);
    const args = [
      "run",
      "--config-dir",
      join(folder, "cfg"),
      "--benchmark",
      "own",
      "--targets",
      "node",
      "--json",
    ];
    const output = JSON.parse(execFileSync(program, args, { encoding: "utf8" })) as Output;
    const results = output.Controls.flatMap(({ tests }) => tests.flatMap((test) => test.results));
    const failing = results.filter(({ status }) => status === "FAIL").length;
    assert.deepEqual([output.Totals.total_fail, output.Controls[0]?.total_fail], [failing, failing]);
    assert.match(output.Controls[0]?.text ?? "", /stand-in/);
    return new Map(results.map((result) => [result.test_number, result]));
  }

  it("looks at modes and owners: stricter is well, looser and missing fail", () => {
    const [strict, loose] = [join(folder, "strict"), join(folder, "loose")];
    for (const file of [strict, loose]) writeFileSync(file, 'peer "a" & <b>\n');
    chmodSync(strict, 0o400);
    chmodSync(loose, 0o644);
    const owner = execFileSync("stat", ["-c", "%U:%G", strict], { encoding: "utf8" }).trim();
    const found = run([
      `1.1|true|file-mode|${strict}|600|strict`,
      `1.2|true|file-mode|${loose}|600|loose "quoted"`,
      `1.3|true|file-mode|${folder}/none|600|missing`,
      `1.4|false|file-mode|${loose}|600|for people`,
      `1.5|true|file-mode|${folder}/*|755|all of them`,
      `1.6|true|file-owner|${strict}|${owner}|its own`,
      `1.7|true|file-owner|${strict}|nobody:${userInfo().username}|another's`,
      `1.8|true|in-file|${loose}|peer|there`,
      `1.9|true|in-file|${loose}|client|not there`,
      "1.10|false|manual|||by hand",
    ]);
    assert.deepEqual(
      [...found.values()].map(({ status }) => status),
      ["PASS", "FAIL", "FAIL", "WARN", "PASS", "PASS", "FAIL", "PASS", "FAIL", "WARN"],
    );
    assert.equal(found.get("1.2")?.actual_value, "permissions=644");
  });

  it("reads the flags of what runs, and no other word of its command line", () => {
    const name = `fakelet${process.pid % 100_000}`;
    const own = join(folder, name);
    execFileSync("cp", ["/bin/bash", own]);
    const kubelet = spawn(
      own,
      ["-c", "read", "x", "--anonymous-auth=false", "--authorization-mode=Node,RBAC", "--token=secret"],
      {
        stdio: ["pipe", "ignore", "ignore"],
      },
    );
    try {
      const found = run([
        `4.1|true|flag|${name} --anonymous-auth|=false|off`,
        `4.2|true|flag|${name} --authorization-mode|!AlwaysAllow|not all`,
        `4.3|true|flag|${name} --authorization-mode|+RBAC|in the list`,
        `4.4|true|flag|${name} --read-only-port|~0|unset is well`,
        `4.5|true|flag|${name} --client-ca-file|set|must be set`,
        `4.6|true|flag|${name}x --client-ca-file|set|does not run`,
      ]);
      assert.deepEqual(
        [...found.values()].map(({ status }) => status),
        ["PASS", "PASS", "PASS", "PASS", "FAIL", "FAIL"],
      );
      assert.ok(![...found.values()].some(({ actual_value }) => actual_value.includes("secret")));
    } finally {
      kubelet.kill();
    }
  });

  it("says that it is none, and refuses what it does not know", () => {
    assert.match(execFileSync(program, ["version"], { encoding: "utf8" }), /stand-in, not kube-bench/);
    assert.equal(spawnSync(program, ["run", "--junit"]).status, 1);
  });
});
