/** What lib-cluster.sh makes of nodes that are away: bash itself, kubectl answered by a function over one file of nodes. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const scripts = join(__dirname, "../../scripts");
let state: string;

/** A row of nodes_table: name|Ready|version|unschedulable|our mark|our cordon|server. */
const agent = (name: string, { ready = "True", cordoned = "", mark = "", ours = "" } = {}) =>
  `${name}|${ready}|v1|${cordoned}|${mark}|${ours}|`;

/** lib-cluster.sh with these nodes; a cordon is written into the table, slowly enough for two to overlap. */
function text(command: string): string {
  return `set -- test
source ${scripts}/lib.sh
source ${scripts}/lib-api.sh
source ${scripts}/lib-watch.sh
source ${scripts}/lib-cluster.sh
STATE=${state}
trap - ERR
kube() {
  shift
  case "$1 $2" in
  "get nodes") cat ${state}/nodes ;;
  "get node") awk -F'|' -v n="$3" '$1 == n { print $4 "|" $6 }' ${state}/nodes ;;
  "annotate node") sed -i "s/^\\($3|[^|]*|[^|]*|[^|]*\\)|[^|]*|[^|]*|/\\1|CR|CR|/" ${state}/nodes ;;
  cordon*) sleep 0.2; sed -i "s/^\\($2|[^|]*|[^|]*\\)|[^|]*|/\\1|true|/" ${state}/nodes ;;
  esac
}
${command}`;
}

const run = (command: string) => {
  const { status, stdout, stderr } = spawnSync("bash", ["-s", "test"], {
    input: text(command),
    encoding: "utf8",
  });
  return { ok: status === 0, stdout, stderr };
};
const nodes = (...rows: string[]) =>
  writeFileSync(join(state, "nodes"), rows.map((row) => `${row}\n`).join(""));
const cordoned = () =>
  readFileSync(join(state, "nodes"), "utf8")
    .split("\n")
    .filter((row) => row.split("|")[3] === "true")
    .map((row) => row.split("|")[0]);

describe("scripts/lib-cluster.sh: who may be away", () => {
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "waves-"));
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  it("counts NotReady and cordoned agents alike, whoever cordoned them, and no server", () => {
    nodes(
      "m1|False|v1||||true",
      agent("w1"),
      agent("w2", { cordoned: "true" }),
      agent("w3", { ready: "Unknown" }),
    );
    const refused = run("cordon_ours w1 CR 2");
    assert.equal(refused.ok, false);
    assert.match(
      refused.stderr,
      /w1 would be one agent too many: NotReady or cordoned are w2 w3, and agents\.maxUnavailable allows 2/,
    );
    assert.match(refused.stderr, /next: /);
    assert.deepEqual(cordoned(), ["w2"]);
    assert.ok(run("cordon_ours w1 CR 3").ok);
    assert.deepEqual(cordoned(), ["w1", "w2"]);
  });

  it("lets one go on that is away already, however many are: going on is what mends it", () => {
    nodes(agent("w1", { cordoned: "true", mark: "CR", ours: "CR" }), agent("w2", { ready: "False" }));
    assert.ok(run("cordon_ours w1 CR 1").ok);
  });

  it("never takes over a cordon that is somebody else's", () => {
    nodes(agent("w1", { cordoned: "true" }));
    assert.match(run("cordon_ours w1 CR 1").stderr, /w1 was cordoned by somebody else/);
  });

  it("lets one through of several that cordon at the same moment, where there is room for one", async () => {
    nodes(...["w1", "w2", "w3", "w4"].map((name) => agent(name)));
    const ended = await Promise.all(
      ["w1", "w2", "w3", "w4"].map(
        (name) =>
          new Promise<number | null>((resolve) => {
            const child = spawn("bash", ["-s", "test"], { stdio: ["pipe", "ignore", "ignore"] });
            child.once("close", resolve);
            child.stdin.end(text(`cordon_ours ${name} CR 2`));
          }),
      ),
    );
    assert.equal(ended.filter((code) => code === 0).length, 2);
    assert.equal(cordoned().length, 2);
  });

  it("takes for away only the fellows that bear the change's own mark", () => {
    nodes(
      agent("w1", { ready: "False", mark: "CR" }),
      agent("w2", { ready: "False" }),
      agent("w3", { ready: "False", mark: "other" }),
      agent("w10", { ready: "False", mark: "CR" }),
    );
    assert.equal(run('away_with "$(nodes_table)" CR "w1 w2 w3"').stdout, "w1 ");
    assert.equal(run('away_with "$(nodes_table)" CR ""').stdout, "");
  });
});
