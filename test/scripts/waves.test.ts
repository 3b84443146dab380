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
  "-n kube-node-lease") cat ${state}/leases ;;
  "patch node") sleep 0.2; sed -i "s/^\\($3|[^|]*|[^|]*\\)|[^|]*|[^|]*|[^|]*|/\\1|true|CR|CR|/" ${state}/nodes ;;
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

  it("lets no node's own annotation make rows, columns or control characters", function () {
    // A template is kubectl's to run; it needs no cluster for objects of a file.
    if (spawnSync("kubectl", ["version", "--client"]).status !== 0) return this.skip();
    const node = (name: string, annotations: object, spec: object = {}) => ({
      ...{ apiVersion: "v1", kind: "Node", spec },
      metadata: { name, annotations, labels: { "node-role.kubernetes.io/control-plane": "true" } },
      status: {
        conditions: [
          { type: "DiskPressure", status: "False" },
          { type: "Ready", status: "True" },
        ],
        nodeInfo: { kubeletVersion: "v1.36.3+rke2r1" },
      },
    });
    const mark = "CR\nw2|False|v1||CR||\u001b[31m";
    const items = [
      node("w1", { "rke2-upgrade/working": mark, "rke2-upgrade/patched": "a|b" }),
      node(
        "w3",
        { "rke2-upgrade/working": "CR-1", "rke2-upgrade/cordoned": "CR-1" },
        { unschedulable: true },
      ),
      node("w4", {}),
    ];
    writeFileSync(join(state, "list"), JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const table = run(
      `kube() { kubectl label --local -f ${state}/list seen=yes -o "go-template=$NODE_ROW"; }\nnodes_table`,
    ).stdout;
    assert.deepEqual(table.trim().split("\n"), [
      "w1|True|v1.36.3+rke2r1||CR%0Aw2%7CFalse%7Cv1%7C%7CCR%7C%7C%1B%5B31m||true|a%7Cb",
      "w3|True|v1.36.3+rke2r1|true|CR-1|CR-1|true|",
      "w4|True|v1.36.3+rke2r1||||true|",
    ]);
  });

  it("takes a lease for stale by the limit that it is given, but for those that may be away", () => {
    const renewed = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
    writeFileSync(join(state, "leases"), `w1|${renewed(5)}\nw2|${renewed(80)}\nw3|${renewed(300)}\n`);
    const stale = (words: string) => run(`stale_leases ${words}`).stdout;
    assert.deepEqual([stale("40"), stale("120"), stale('40 "w9 w2"')], ["w2 w3 ", "w3 ", "w3 "]);
  });
});

/**
 * A whole step with these nodes, its questions to etcd, leases and pods answered well.
 * @param stale nodes without a lease
 * @param calm what is asked of the pods beside that
 */
function step(
  script: string,
  args: readonly (string | number)[],
  stale: readonly string[] = [],
  { calm = "" } = {},
) {
  const words = [script, ...args].map((word) => `'${word}'`).join(" ");
  const own = ["lib", "lib-api", "lib-watch", "lib-cluster"].map((name) => `source ${scripts}/${name}.sh`);
  const input = `set -- ${words}
${own.join("\n")}
STATE=${state}
api_ready() { :; }
etcd_healthy() { :; }
api_prompt() { :; }
calm() { echo "calm $1, away \${AWAY}" >>${state}/asked; ${calm} }
sick_pods() { :; }
stale_leases() { for name in ${stale.join(" ")}; do [[ " $2 " == *" $name "* ]] || printf '%s ' "$name"; done; }
kube() {
  shift
  case "$1 $2" in
  "get nodes") cat ${state}/nodes ;;
  "get node") awk -F'|' -v n="$3" '$1 == n { print $5 "|" $3 "|" $8 }' ${state}/nodes ;;
  "-n kube-system") echo "kube-apiserver-m1 rke2:v2 True" ;;
  *) echo "$*" >>${state}/did ;;
  esac
  if [ "$1" = uncordon ]; then sed -i "s/^\\($2|[^|]*|[^|]*|\\)true/\\1/" ${state}/nodes; fi
}
source ${scripts}/${script}.sh`;
  const { status, stdout, stderr } = spawnSync("bash", ["-s", "test"], { input, encoding: "utf8" });
  return { ok: status === 0, stdout, stderr };
}

const did = () => readFileSync(join(state, "did"), { encoding: "utf8", flag: "a+" });

describe("scripts: the steps of a node in a wave", () => {
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "waves-"));
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  const row = (
    name: string,
    { ready = "True", version = "v1", cordoned = "", mark = "", patched = "" } = {},
  ) => `${name}|${ready}|${version}|${cordoned}|${mark}|${mark}||${patched}`;
  const gate = (fellows?: string, stale: string[] = []) =>
    step(
      "gate-cluster",
      ["w1", "agent", "v2", "v1", "CR", 3, 60, ...(fellows === undefined ? [] : [fellows])],
      stale,
    );

  it("gate-cluster lets a node begin beside a fellow that is down in its turn, and marks it", () => {
    nodes("m1|True|v2||||true", row("w1"), row("w2", { ready: "False", cordoned: "true", mark: "CR" }));
    const said = gate("w2 w3", ["w2"]);
    assert.equal(said.stderr, "");
    assert.ok(said.ok);
    assert.match(did(), /annotate node w1 --overwrite rke2-upgrade\/working=CR/);
  });

  it("gate-cluster refuses for anybody else that is down, in a turn, or silent: strictly so where it goes alone", () => {
    const away = { ready: "False", cordoned: "true", mark: "CR" };
    nodes("m1|True|v2||||true", row("w1"), row("w2", away));
    assert.match(gate().stderr, /not Ready: w2/);
    assert.match(gate("w3").stderr, /not Ready: w2/);
    nodes("m1|True|v2||||true", row("w1"), row("w2", { mark: "CR" }));
    assert.match(gate().stderr, /w2 is still in its turn/);
    assert.match(gate("w3").stderr, /w2 is still in its turn.*\n\s*next: .*agents\.maxUnavailable/);
    nodes("m1|True|v2||||true", row("w1"), row("w2"));
    assert.match(gate("w2", ["w2"]).stderr, /no lease renewed for over 60 s: w2/);
    nodes("m1|True|v2||||true", row("w1"), row("w2", { ready: "False", mark: "other" }));
    assert.match(gate("w2").stderr, /not Ready: w2/);
    assert.equal(did(), "");
  });

  it("gate-cluster lets a node go on that is in its turn, beside others that are, though they go together no more", () => {
    const turn = { ready: "False", cordoned: "true", mark: "CR" };
    nodes("m1|True|v2||||true", row("w1", turn), row("w2", turn));
    assert.ok(gate("", ["w2"]).ok);
    nodes("m1|True|v2||||true", row("w1", turn), row("w2", { ready: "False" }));
    assert.match(gate("").stderr, /not Ready: w2/);
  });

  const verify = (fellows?: string, stale: string[] = []) =>
    step(
      "verify-cluster",
      ["w1", "agent", "v2", "v1", "CR", 3, 60, 0, 0, "hint", ...(fellows === undefined ? [] : [fellows])],
      stale,
    );

  it("verify-cluster proves a node while a fellow is down in its turn, and counts the pods there no more than its own", () => {
    nodes(
      "m1|True|v2||||true",
      row("w1", { version: "v2", mark: "CR" }),
      row("w2", { ready: "False", mark: "CR" }),
    );
    const said = verify("w2 w3", ["w2"]);
    assert.equal(said.stderr, "");
    assert.match(readFileSync(join(state, "asked"), "utf8"), /^calm w1, away w2 $/m);
    assert.match(verify("w3").stderr, /after 0 s: not Ready: w2/);
    assert.match(verify().stderr, /after 0 s: not Ready: w2/);
  });

  it("verify-cluster takes our cordon off a server before it judges the pods, which may have no place elsewhere", () => {
    const judged = (cordoned: string, ours: string) => {
      rmSync(join(state, "did"), { force: true });
      nodes(`m1|True|v2|${cordoned}|CR|${ours}|true`, row("w1"));
      const said = step("verify-cluster", ["m1", "server", "v2", "v1", "CR", 3, 60, 0, 0, "hint"], [], {
        // With our cordon on, a pod of that server alone is Pending.
        calm: "if grep -q 'm1|True|v2|true|CR|CR' $STATE/nodes; then echo 'pods that were well before'; return 1; fi;",
      });
      return { ok: said.ok, did: did().trim().split("\n") };
    };
    const over = "annotate node m1 rke2-upgrade/working- rke2-upgrade/cordoned-";
    assert.deepEqual(judged("true", "CR"), {
      ok: true,
      did: ["uncordon m1", "annotate node m1 rke2-upgrade/cordoned-", over],
    });
    // Uncordoned by its own step, or cordoned by somebody else.
    assert.deepEqual(judged("", "CR"), { ok: true, did: [over] });
    assert.deepEqual(judged("true", ""), { ok: true, did: [over] });
  });

  it("cordon marks and cordons in one write: killed between two, a rerun would take it for uncordoned by somebody", () => {
    nodes("m1|True|v2||||true", row("w1", { mark: "CR" }));
    assert.ok(step("cordon", ["w1", "CR", "v2", "v1"]).ok);
    const [write, ...more] = did().trim().split("\n");
    assert.deepEqual(more, []);
    assert.deepEqual(JSON.parse(write?.replace("patch node w1 --type=merge -p ", "") ?? ""), {
      metadata: { annotations: { "rke2-upgrade/working": "CR", "rke2-upgrade/cordoned": "CR" } },
      spec: { unschedulable: true },
    });
  });

  describe("in a round of OS patches, where no version tells who is done", () => {
    const other = "m1|True|v1||||true|CR";
    const round = () => step("gate-cluster", ["w1", "agent", "v1", "v1", "CR", 3, 60]);
    const begins = (patched: string, mark = "") => {
      rmSync(join(state, "did"), { force: true });
      nodes(other, row("w1", { patched, mark }));
      const said = round();
      assert.ok(said.ok, said.stderr);
      return /annotate node w1 --overwrite rke2-upgrade\/working=CR/.test(did());
    };

    it("gate-cluster marks whoever is not done with, an earlier round's too, and leaves who is alone", () => {
      assert.deepEqual(
        ["", "CR-0", "CR"].map((patched) => begins(patched)),
        [true, true, false],
      );
      assert.ok(begins("CR", "CR"), "a turn that has begun goes on");
    });

    it("cordon and uncordon act until it is done with, whoever cleaned the mark of its turn away", () => {
      for (const [patched, mark, acts] of [
        ["", "", true],
        ["CR-0", "", true],
        ["CR", "CR", true],
        ["CR", "", false],
      ] as const)
        for (const script of ["cordon", "uncordon"]) {
          rmSync(join(state, "did"), { force: true });
          nodes(other, row("w1", { patched, mark }));
          const said = step(script, ["w1", "CR", "v1", "v1"]);
          assert.ok(said.ok, said.stderr);
          assert.equal(did() !== "", acts, `${script} ${patched} ${mark}`);
        }
    });

    it("tells that it is done with before our cordon comes off, and at no version bump's end", () => {
      const ends = (wanted: string, accepted: string, ...more: string[]) => {
        rmSync(join(state, "did"), { force: true });
        nodes(other, row("w1", { version: wanted, mark: "CR" }));
        assert.ok(step("uncordon", ["w1", "CR", wanted, accepted, ...more]).ok);
        return did().trim().split("\n");
      };
      const over = "annotate node w1 rke2-upgrade/cordoned-";
      const done = "annotate node w1 --overwrite rke2-upgrade/patched=CR";
      assert.deepEqual(ends("v1", "v1"), [done, `${over} rke2-upgrade/working-`]);
      // The cordon is not ours here, and the turn goes on.
      assert.deepEqual(ends("v1", "v1", "in-its-turn"), [done]);
      assert.deepEqual(ends("v2", "v1"), [`${over} rke2-upgrade/working-`]);
    });
  });

  it("canary-soak wants the first agents on the version, open and over with, and everybody Ready", () => {
    const soak = () => step("canary-soak", ["v2", 60, 0, 0, "w1"]);
    nodes("m1|True|v2||||true", row("w1", { version: "v2" }), row("w2"));
    assert.ok(soak().ok);
    assert.match(soak().stdout, /"step":"canary-soak".*"canaries":"w1"/);
    nodes("m1|True|v2||||true", row("w1", { version: "v2", cordoned: "true" }), row("w2"));
    assert.match(
      soak().stderr,
      /w1 is version\|cordoned\|in its turn v2\|true\|.*\n\s*next: .*no other agent was touched/,
    );
    nodes("m1|True|v2||||true", row("w1", { version: "v2" }), row("w2", { ready: "False" }));
    assert.match(soak().stderr, /not Ready: w2/);
  });
});
