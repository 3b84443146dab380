/** What a drain says of itself over all its tries: drain.sh itself in bash, with a kubectl that evicts what nothing blocks. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";

const scripts = join(__dirname, "../../scripts");

/** As a drain does it: a pod that a budget guards stays, and then the drain has failed. */
const KUBECTL = `#!/usr/bin/env bash
cd "\${0%/*}/.."
code=0
: >left
while IFS='|' read -r pod rest; do
  if [ "$pod" = "$(cat blocked 2>/dev/null)" ]; then code=1; echo "$pod|$rest" >>left; echo "would violate" >&2
  else echo "evicting pod $pod"; echo "pod/\${pod#*/} evicted"; fi
done <pods
mv left pods
exit $code
`;

describe("scripts/drain.sh: what it did, in all its tries", () => {
  let state: string;
  const put = (name: string, ...rows: string[]) =>
    writeFileSync(join(state, name), rows.map((row) => `${row}\n`).join(""));
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "drained-"));
    mkdirSync(join(state, "bin"));
    writeFileSync(join(state, "bin/kubectl"), KUBECTL, { mode: 0o755 });
    put("turn", "yes");
    put("pods", ...["a", "b", "c"].map((name) => `shop/${name}|ReplicaSet|false|30|app=${name},`));
    put("budgets", "shop|web|2|false|app In a,b;", "shop|other|0|false|app In x;", "else|all|0|false|");
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  const bash = (command: string) =>
    spawnSync("bash", ["-s", "drain"], {
      input: `${["lib", "lib-drained"].map((name) => `source ${scripts}/${name}.sh`).join("\n")}
trap - ERR
STATE=${state} RKE2_DATA=${state} API=here
sleep() { command sleep 0.1; }
api_ready() { :; }
calm() { :; }
cordon_ours() { :; }
in_turn() { [ -e ${state}/turn ]; }
kube() {
  case "$3" in
  pods) cat ${state}/pods ;;
  pdb) cat ${state}/budgets ;;
  esac
}
${command}`,
      encoding: "utf8",
    });
  const drain = () => {
    const { status, stdout, stderr } = bash(`set -- w1 CR-1 v1 v0 60 5 "" "" ""\nsource ${scripts}/drain.sh`);
    if (status !== 0) return { failed: stderr };
    const { step, node, startedAt, seconds, apiCalls, ...did } = JSON.parse(
      stdout.trim().split("\n").at(-1) ?? "",
    ) as Record<string, unknown>;
    assert.ok(
      step === "drain" && node === "w1" && startedAt && seconds !== undefined && apiCalls !== undefined,
    );
    return did;
  };

  it("counts what kubectl evicted, and finds the tightest budget that guards its pods", () => {
    assert.deepEqual(drain(), { evicted: 3, budgets: 1, headroom: 2, budget: "shop/web" });
  });

  it("adds up what was evicted before it stopped at a budget, whatever came after, and keeps the tightest", () => {
    put("blocked", "shop/b");
    put("budgets", "shop|web|0|false|app In a,b;");
    assert.match(drain().failed as string, /w1 is not drained.*still there: shop\/b/s);
    put("blocked", "");
    put("budgets", "shop|web|1|false|app In a,b;");
    const both = { evicted: 3, budgets: 1, headroom: 0, budget: "shop/web" };
    assert.deepEqual(drain(), both);
    // Its turn is over, and an edited script runs again.
    rmSync(join(state, "turn"));
    assert.deepEqual(drain(), both);
  });

  it("says nothing of what it has not measured", () => {
    put("budgets", "shop|web|<no value>|false|app In a;");
    assert.deepEqual(drain(), { evicted: 3 });
    rmSync(join(state, "drained"), { recursive: true });
    rmSync(join(state, "turn"));
    assert.deepEqual(drain(), {});
  });

  it("tells no budget from one that was not asked", () => {
    put("budgets", "else|all|0|false|", "shop|nothing|0|true|");
    assert.deepEqual(drain(), { evicted: 3, budgets: 0 });
    // An empty selector takes every pod of its namespace.
    put("budgets", "shop|all|4|false|");
    put("pods", "shop/a|ReplicaSet|false|30|");
    assert.deepEqual(drain(), { evicted: 4, budgets: 1, headroom: 4, budget: "shop/all" });
  });

  it("takes a selector as Kubernetes does", () => {
    const value = fc.constantFrom("", "a", "b");
    const key = fc.constantFrom("app", "app.io/tier");
    const labels = fc.dictionary(key, value, { noNullPrototype: true });
    const requirement = fc.record({
      key,
      operator: fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist"),
      values: fc.uniqueArray(value, { minLength: 1 }),
    });
    const cases = fc.sample(fc.tuple(labels, fc.array(requirement, { maxLength: 3 })), {
      numRuns: 150,
      seed: 7,
    });
    const wanted = cases.map(([own, requirements]) =>
      requirements.every(({ key, operator, values }) => {
        const inside = own[key] !== undefined && values.includes(own[key]);
        if (operator === "In") return inside;
        if (operator === "NotIn") return !inside;
        return (own[key] !== undefined) === (operator === "Exists");
      }),
    );
    const commands = cases.map(([own, requirements]) => {
      const selector = requirements
        .map(
          ({ key, operator, values }) =>
            `${key} ${operator} ${/In$/.test(operator) ? values.join(",") : ""};`,
        )
        .join("");
      const pod = Object.entries(own).map(([name, value]) => `${name}=${value},`);
      return `guarding 'ns|b|1|false|${selector}' 'ns/p|${pod.join("")}' | wc -l`;
    });
    const { stdout } = bash(commands.join("\n"));
    assert.deepEqual(
      stdout
        .trim()
        .split("\n")
        .map((count) => Number(count) === 1),
      wanted,
    );
  });
});
