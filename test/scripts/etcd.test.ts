/** What the scripts make of etcd's answers; etcd's gateway and the members' own port are functions that answer. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bareText, stepText } from "../../scripts";

const scripts = join(__dirname, "../../scripts");

const url = (n: number) => `https://10.25.20.1${n}:2380`;
const MEMBERS = JSON.stringify({
  header: { member_id: "1" },
  members: [1, 2, 3].map((n) => ({ ID: String(n), name: `m-${n}`, peerURLs: [url(n)] })),
});
const STATUS = '{"header":{"member_id":"1"},"leader":"2"}';

interface Answers {
  readonly members?: string;
  readonly status?: string;
  /** Empty: none in time, as when the quorum is slow. */
  readonly alarms?: string;
}

/** The functions in place of the network's. */
const stub = ({ members = MEMBERS, status = STATUS, alarms = '{"header":{"member_id":"1"}}' }: Answers) => `
etcd_ask() {
  local said
  case $1 in
    */member/list) said='${members}' ;;
    */status) said='${status}' ;;
    */alarm) said='${alarms}' ;;
  esac
  [ -n "$said" ] && echo "$said"
}
etcd_peer_version() { echo '{"etcdserver":"3.6.16"}'; }
`;

const bash = (input: string) => spawnSync("bash", ["-s", "--", "step"], { input, encoding: "utf8" });

/** As verify-cluster.sh and check-health.sh ask: in a subshell, in a condition, where bash forgets \`set -e\`. */
function healthy(answers: Answers) {
  const whole = stepText("check-health");
  const from = whole.indexOf("# What every step shares");
  const libraries = whole.slice(from, whole.indexOf("# Between two servers' snapshots"));
  const { stdout, stderr } = bash(
    `${libraries}\n${stub(answers)}\nif (etcd_healthy 3) 2>&1; then echo healthy; else echo refused; fi\n`,
  );
  return `${stdout}${stderr}`;
}

describe("scripts: etcd", () => {
  it("passes a whole etcd", () => {
    assert.equal(healthy({}), "healthy\n");
  });

  it("refuses an alarm, no leader, a learner, and an alarm that nobody could tell of", () => {
    const raised = '{"header":{"member_id":"1"},"alarms":[{"memberID":"2","alarm":"NOSPACE"}]}';
    assert.match(healthy({ alarms: raised }), /etcd raises an alarm: .*NOSPACE[\s\S]*refused\n$/);
    for (const alarms of ["", "{}", '{"error":"etcdserver: request timed out"}'])
      assert.match(healthy({ alarms }), /does not say whether it has an alarm\n {2}next: [\s\S]*refused\n$/);
    assert.match(healthy({ status: '{"header":{"member_id":"1"}}' }), /no leader[\s\S]*refused\n$/);
    assert.match(healthy({ status: "" }), /no leader[\s\S]*refused\n$/);
    const learner = MEMBERS.replace('"ID":"3"', '"ID":"3","isLearner":true');
    assert.match(healthy({ members: learner }), /learner[\s\S]*refused\n$/);
  });

  it("spares a server only where the others are a quorum without it", () => {
    const whole = stepText("reboot");
    const libraries = whole.slice(
      whole.indexOf("# What every step shares"),
      whole.indexOf("# This node's package manager"),
    );
    const spared = (silent: readonly number[], members = MEMBERS) => {
      const answers = `etcd_peer_version() { [[ " ${silent.map(url).join(" ")} " != *" $1 "* ]]; }`;
      const ask = "if others_are_a_quorum; then echo spared; else echo kept; fi";
      return bash(`${libraries}\n${stub({ members })}\n${answers}\n${ask}\n`).stdout;
    };
    assert.equal(spared([]), "spared\n");
    assert.equal(spared([2]), "2 of 3 members answer\nkept\n");
    assert.equal(spared([2, 3]), "1 of 3 members answer\nkept\n");
    assert.equal(spared([], ""), "etcd here does not answer\nkept\n");
  });

  describe("a member that is removed", () => {
    const [a, b, c] = ["m1-0a1b2c3d", "m1-a-0a1b2c3e", "m1-a1b2c3d4-0a1b2c3f"] as const;
    const listed = (...members: readonly (readonly [id: number, name: string, ip: string])[]) =>
      JSON.stringify({
        header: { member_id: "9" },
        members: members.map(([id, name, ip]) => ({
          ...{ ID: String(id), name, peerURLs: [`https://${ip}:2380`], clientURLs: [`https://${ip}:2379`] },
        })),
      });
    const others = [
      [2, b, "10.25.20.12"],
      [3, c, "10.25.20.13"],
    ] as const;
    /** As asked for node m1 at 10.25.20.1, of three servers. */
    const remove = (...own: readonly (readonly [id: number, name: string, ip: string])[]) => {
      const folder = mkdtempSync(join(tmpdir(), "member-"));
      try {
        const { stdout, stderr, status } = spawnSync("bash", ["-s"], {
          input: `set -- member-remove 1 CR-1 m1 10.25.20.1 3
. ${scripts}/lib.sh
. ${scripts}/lib-back.sh
STATE=${folder}
etcd_ask() {
  case $1 in
  */member/remove) echo "$2" >>${folder}/removed ;;
  */member/list) if [ -e ${folder}/removed ]; then echo '${listed(...others)}'; else echo '${listed(...own, ...others)}'; fi ;;
  esac
}
etcd_peer_version() { :; }
. ${scripts}/member-remove.sh`,
          encoding: "utf8",
        });
        const removed = existsSync(join(folder, "removed"))
          ? readFileSync(join(folder, "removed"), "utf8")
          : "";
        return {
          removed: removed.match(/\d+/g) ?? [],
          result: stdout.trim().split("\n").at(-1),
          stderr,
          status,
        };
      } finally {
        rmSync(folder, { recursive: true });
      }
    };

    it("is known by its node's name wherever it is, and never by another's that begins with it", () => {
      assert.deepEqual(remove([1, a, "192.168.7.1"]).removed, ["1"]);
      const { removed, stderr } = remove([1, "m2-0a1b2c3d", "192.168.7.1"]);
      assert.deepEqual(removed, []);
      assert.match(stderr, /etcd lists 3 members beside m1/);
    });

    it("is known by its address too, where it never started and has no name", () => {
      assert.deepEqual(remove([1, a, "10.25.20.1"], [4, "", "10.25.20.1"]).removed, ["1", "4"]);
      assert.match(String(remove([4, "", "10.25.20.1"]).result), /"removed":true/);
    });

    it("that is gone already is none", () => {
      const { removed, result, status, stderr } = remove();
      assert.deepEqual([removed, status, stderr], [[], 0, ""]);
      assert.match(String(result), /"removed":false/);
    });
  });

  it("tells how its own member knows etcd, and leaves empty what gave no answer", () => {
    const text = bareText("look-node");
    const libraries = text.slice(0, text.indexOf("# Reads what this node says of itself"));
    const view = (answers: Answers) =>
      bash(`${libraries}\n${stub(answers)}\netcd_view =\n`)
        .stdout.trimEnd()
        .split("\n");
    assert.deepEqual(view({ alarms: "" }), [
      `etcdMembers=${MEMBERS}`,
      `etcdStatus=${STATUS}`,
      "etcdAlarms=",
      ...[1, 2, 3].map((n) => `etcdMember ${url(n)}={"etcdserver":"3.6.16"}`),
    ]);
    assert.deepEqual(view({ members: "", status: "", alarms: "" }), [
      "etcdMembers=",
      "etcdStatus=",
      "etcdAlarms=",
    ]);
  });
});
