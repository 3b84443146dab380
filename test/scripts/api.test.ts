/** What look-cluster.sh and ask-evictions.sh make of an API server's answers; curl itself is a function that answers. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { bareText } from "../../scripts";

/** Answers of one curl in the order of its requests: HTTP status and body. */
type Answer = readonly [status: string, body: string];

function answered(script: "look-cluster" | "ask-evictions", args: string, answers: Answer[], mark = "") {
  const lines = answers.map(([status, body]) => `${`${body}\n\n@${status} ${mark}`.trimEnd()}\n`).join("");
  const stub = `curl() { case "$*" in *2382*|*2379*|*2380*) return 1 ;; esac; cat <<'END'\n${lines}END\n}\n`;
  const text = bareText(script).replace("# Asks this server", `${stub}\n# Asks this server`);
  return spawnSync("bash", ["-s", "--", script, ...args.split(" ")], { input: text, encoding: "utf8" });
}

const list: Answer = ["200", '{"items":[]}'];

describe("scripts/lib-api.sh", () => {
  const kinds = 16;

  it("names each answer by its question, and leaves out what the cluster need not know", () => {
    const answers: Answer[] = [["200", "ok"], ...Array(kinds - 3).fill(list), ["404", "{}"], ["404", "{}"]];
    const { stdout } = answered("look-cluster", "", answers);
    const names = stdout.split("\n").map((line) => line.split("\t")[0]);
    assert.ok(stdout.includes("ready\tok\n"), stdout);
    for (const name of ["nodes", "pods", "daemonsets", "budgets", "leases", "attachments"])
      assert.ok(names.includes(name), name);
    assert.ok(!names.includes("plans") && !names.includes("longhorn"));
    assert.ok(stdout.includes('pods\t{"items":[]}\n'));
  });

  it("asks for objects of the kinds it is given, and leaves out those that are not served", () => {
    const answers: Answer[] = [
      ["200", "ok"],
      ...Array(kinds - 1).fill(list),
      ["200", '{"items":[1]}'],
      ["404", "{}"],
    ];
    const asked = "x=y a.io/v1alpha1/things a.io/v1/things";
    const { stdout, stderr, status } = answered("look-cluster", asked, [
      ...answers.slice(0, 4),
      list,
      ...answers.slice(4),
    ]);
    assert.equal(status, 0, stderr);
    assert.ok(stdout.includes('stored:a.io/v1alpha1/things\t{"items":[1]}\n'), stdout);
    assert.ok(!stdout.includes("stored:a.io/v1/things"));
  });

  it("says what cannot be read, and stops: no answer is no empty list", () => {
    const forbidden = answered("look-cluster", "", [["200", "ok"], list, ["403", "no"], list]);
    assert.equal(forbidden.status, 1);
    assert.match(forbidden.stderr, /cannot read \/api\/v1\/pods \(HTTP 403: no\)\n {2}next: /);
    const down = answered("look-cluster", "", [["000", "curl: (7) refused"]]);
    assert.match(down.stderr, /does not answer ready \(HTTP 000: curl: \(7\) refused\)/);
    const cut = answered("look-cluster", "", [["200", "ok"], list]);
    assert.equal(cut.status, 1);
  });

  it("hands on the evictions that would be refused, with the server's words", () => {
    const say = (answers: Answer[], pod: string) => answered("ask-evictions", pod, answers, pod);
    assert.equal(say([["201", "{}"]], "lab/a").stdout, "");
    assert.equal(say([["404", "{}"]], "lab/a").stdout, "");
    assert.equal(say([["429", '{"message":"budget"}']], "lab/a").stdout, 'lab/a\t{"message":"budget"}\n');
    assert.equal(say([["000", "refused"]], "lab/a").status, 1);
  });
});
