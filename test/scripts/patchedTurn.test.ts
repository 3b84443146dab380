/** What a node's and the cluster's marks of OS patches mean to a turn that goes on, and when they go: the scripts themselves in bash. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const scripts = join(__dirname, "../../scripts");

describe("scripts: a patched node's turn, and its end", () => {
  let state: string;
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "patched-"));
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  const put = (name: string, text = "") => {
    mkdirSync(dirname(join(state, name)), { recursive: true });
    writeFileSync(join(state, name), text);
  };
  const is = (name: string) => existsSync(join(state, name));
  /** @param before what stands in for the node and its kubectl */
  const run = (script: string, args: readonly string[], before: string) =>
    spawnSync("bash", ["-s"], {
      input: `set -- ${[script, ...args].map((word) => `'${word}'`).join(" ")}
. ${scripts}/lib.sh; . ${scripts}/lib-left.sh
STATE=${state} RKE2_DATA=${state}/rke2 JOIN_DROPIN=${state}/join.yaml
${before}
${readFileSync(join(scripts, `${script}.sh`), "utf8")}`,
      encoding: "utf8",
    });

  describe("gate-node.sh", () => {
    const gate = (service: string, wanted = "v1") => {
      for (const version of ["v1", wanted]) {
        const tarball = "rke2.linux-amd64.tar.gz";
        put(`artifacts/${version}/${tarball}`, version);
        const sum = hash("sha256", version);
        put(`artifacts/${version}/sha256sum-amd64.txt`, `${sum}  ${tarball}\n`);
      }
      return run(
        "gate-node",
        ["agent", wanted, "v1", "", "CR-2"],
        `rke2_binary() { echo /usr/local/bin/rke2; }
version_on_disk() { echo v1; }
version_running() { return 1; }
systemctl() { echo ${service}; [ ${service} = active ]; }
df() { printf 'Avail\\n9000000\\n'; }`,
      );
    };

    it("has the turn of a node go on that was just rebooted, in a round and in a bump", () => {
      put("os/CR-2/before");
      for (const wanted of ["v1", "v2"])
        for (const service of ["activating", "failed", "active"]) {
          const { status, stderr } = gate(service, wanted);
          assert.equal(status, 0, stderr);
        }
    });

    it("refuses a sick node whose turn in this change has not begun, whatever was patched there before", () => {
      put("os/CR-1/before");
      for (const wanted of ["v1", "v2"]) {
        const { status, stderr } = gate("activating", wanted);
        assert.equal(status, 1);
        assert.match(stderr, /rke2-agent is activating.*\n.*only when it is healthy/);
      }
      assert.equal(gate("active").status, 0);
    });
  });

  describe("hold-node.sh release", () => {
    const release = (owner: string) => run("hold-node", ["release", owner, "CR-1 by me"], "");

    it("takes the marks of OS patches away, by the one who holds the node, and a second time does nothing", () => {
      put("owner", "owner-1 CR-1 by me since then\n");
      put("os/CR-1/before");
      put("os/CR-1/past");
      put("left", "version v1\n");
      for (const _ of [1, 2]) assert.equal(release("owner-1").status, 0);
      assert.deepEqual([is("os"), is("owner"), is("left")], [false, false, true]);
    });

    it("leaves those of a node that another change holds", () => {
      put("owner", "owner-2 CR-2 by you since then\n");
      put("os/CR-2/before");
      assert.equal(release("owner-1").status, 0);
      assert.deepEqual([is("os/CR-2/before"), is("owner")], [true, true]);
    });
  });

  describe("hold-cluster.sh release", () => {
    const release = (holder: string) => {
      put("holder", holder);
      put("calls");
      const { status, stderr } = run(
        "hold-cluster",
        ["release", "owner-1", "CR-1 by me"],
        `kube() { shift; echo "$*" >>${state}/calls; case "$*" in *"get lease"*) cat ${state}/holder ;; esac; }`,
      );
      assert.equal(status, 0, stderr);
      const done = readFileSync(join(state, "calls"), "utf8").split("\n");
      return done.filter((call) => /annotate|delete/.test(call)).map((call) => call.replace(/ --.*/, ""));
    };

    it("takes the cluster's marks of a round away before its lock, so that a rerun finishes both", () => {
      const [marks, lock] = ["annotate nodes", "-n kube-system delete lease rke2-upgrade"];
      assert.deepEqual(release("owner-1 CR-1 by me since then"), [marks, lock]);
      assert.deepEqual(release(""), [marks]);
    });

    it("leaves them where another change holds the cluster", () => {
      assert.deepEqual(release("owner-2 CR-2 by you since then"), []);
    });
  });
});
