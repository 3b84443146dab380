/** unit_environment of lib.sh in bash: what RKE2's unit has in its environment. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bareText } from "../../scripts";

const scripts = join(__dirname, "../../scripts");

describe("scripts: the environment of RKE2's unit", () => {
  it("and sudo's lead no question to the cluster by a proxy", () => {
    const texts = readdirSync(scripts)
      .filter((name) => name.endsWith(".sh") && name !== "lib-fetch.sh")
      .map((name) => readFileSync(join(scripts, name), "utf8"));
    const asking = texts.flatMap((text) => text.match(/curl -[ksSf]+ .*/g) ?? []);
    assert.ok(asking.length >= 9);
    for (const line of asking) assert.match(line, /^curl -\w+ --noproxy '\*' /);
    const said = execFileSync("bash", ["-s", "--", "ask-evictions", "a/b", "c/d"], {
      input: bareText("ask-evictions").replace(
        "# Asks the API",
        "curl() { cat; }\nawk() { cat; }\n# Asks the API",
      ),
      encoding: "utf8",
    });
    assert.equal(said.match(/^noproxy = "\*"$/gm)?.length, 2);
  });

  it("is that of its files and its own lines, read as systemd reads them", () => {
    const folder = mkdtempSync(join(tmpdir(), "environment-"));
    try {
      const lines = [
        ...["# HIDDEN=a comment", "; HIDDEN=another", "export HIDDEN=no line of systemd's", ""],
        ...["RKE2_NODE_NAME=proj-k8sm01", 'NO_PROXY="10.0.0.0/8, .cluster.local"', "PLAIN=two words"],
        ...["OWN=the file's comes later", "LITERAL='$HOME `id`'", "LAST=without an end"],
      ];
      writeFileSync(join(folder, "rke2-server"), lines.join("\n"));
      const wanted = ["RKE2_NODE_NAME", "NO_PROXY", "PLAIN", "OWN", "LITERAL", "LAST", "PROXY", "HIDDEN"];
      const said = execFileSync("bash", ["-s"], {
        input: `set -- x
. ${scripts}/lib.sh
systemctl() {
  case "$*" in
  "show --value -p Environment rke2-server.service") echo '[unprintable] OWN=unit "PROXY=http://proxy a b"' ;;
  "show --value -p EnvironmentFiles rke2-server.service")
    echo "${folder}/none (ignore_errors=yes)"
    echo "${folder}/rke2-server (ignore_errors=yes)"
    ;;
  esac
}
unit_environment server
env -0`,
        encoding: "utf8",
        env: { PATH: process.env.PATH },
      });
      const found = new Map(
        said.split("\0").map((one) => one.split(/=(.*)/s).slice(0, 2) as [string, string]),
      );
      assert.deepEqual(
        wanted.map((name) => found.get(name)),
        [
          ...["proj-k8sm01", "10.0.0.0/8, .cluster.local", "two words", "the file's comes later"],
          ...["$HOME `id`", "without an end", "http://proxy a b", undefined],
        ],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
