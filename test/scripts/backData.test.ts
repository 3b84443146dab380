/** What a way back moves of etcd's data, and asks of where it lies: the scripts themselves in bash, on folders of the test's own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const scripts = join(__dirname, "../../scripts");
const LIBRARIES = ["lib", "lib-left", "lib-layout", "lib-hold", "lib-back", "lib-service"];
const LIVE = "10.0.0.1";
const member = (name: string, ip: string) => ({ id: 7, peerURLs: [`https://${ip}:2380`], name });

describe("scripts: etcd's data on the way back", () => {
  let state: string;
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "data-"));
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  const put = (name: string, text = "") => {
    mkdirSync(dirname(join(state, name)), { recursive: true });
    writeFileSync(join(state, name), text);
  };
  const is = (name: string) => existsSync(join(state, name));
  const within = (name: string) => readdirSync(join(state, name)).sort();
  /** @param played what stands in for the node beside a stopped RKE2 */
  const run = (script: string, args: readonly string[], played = "", text?: string) => {
    const { status, stderr, stdout } = spawnSync("bash", ["-s"], {
      input: `set -- ${[script, ...args].map((word) => `'${word}'`).join(" ")}
${LIBRARIES.map((name) => `. ${scripts}/${name}.sh`).join("\n")}
STATE=${state} RKE2_DATA=${state}/rke2 CONFIG_FOLDER=${state}/etc HOLD=${state}/hold MOUNTS=${state}/mounts
JOIN_DROPIN=$CONFIG_FOLDER/config.yaml.d/\${JOIN_DROPIN##*/}
hold_dropin() { echo "${state}/rke2-$1.service.d/hold.conf"; }
version_on_disk() { echo v1; }
version_running() { echo v1; }
rm -f ${state}/up
systemctl() {
  echo "$*" >>${state}/systemctl
  case "$*" in
  is-active*) if [ -e ${state}/up ]; then echo active; else echo activating; return 3; fi ;;
  *ActiveState*) echo inactive ;;
  restart*) : >${state}/up ;;
  *) echo 0 ;;
  esac
}
timeout() { shift; "$@"; }
kill_containers() { echo "killed" >>${state}/systemctl; }
${played}
${text ?? readFileSync(join(scripts, `${script}.sh`), "utf8")}`,
      encoding: "utf8",
      timeout: 20_000,
    });
    return { status, stderr, stdout, result: stdout.trim().split("\n").at(-1) ?? "" };
  };

  describe("back-wipe.sh", () => {
    const ASIDE = "rke2/server/db/rke2-upgrade-CR-1-2";
    const wipe = (played = "") => {
      const { status, stderr, result } = run("back-wipe", ["2", "CR-1"], played);
      assert.equal(status, 0, stderr);
      return result;
    };

    it("moves what lies in server/db, hidden files too, and never the folder, which may be a mount", () => {
      put("disk/etcd/member/wal/0.wal", "data");
      put("disk/.lock");
      put("disk/lost+found/1");
      put("disk/rke2-upgrade-CR-1-1/etcd/name", "of an earlier attempt");
      mkdirSync(join(state, "rke2/server"), { recursive: true });
      symlinkSync(join(state, "disk"), join(state, "rke2/server/db"));
      assert.match(wipe(), /"wiped":true,"aside":".*rke2-upgrade-CR-1-2"/);
      assert.deepEqual(within("disk"), ["lost+found", "rke2-upgrade-CR-1-1", "rke2-upgrade-CR-1-2"]);
      assert.deepEqual(within(ASIDE), [".lock", "etcd"]);
      put("disk/etcd/name", "sm02-00000000");
      assert.match(wipe(), /"wiped":false/);
      assert.equal(is("disk/etcd/name"), true, "the new member's data was taken away");
    });

    it("goes on where it was killed half-way, and passes a server that has none", () => {
      put(`${ASIDE}/etcd/name`);
      put("rke2/server/db/snapshots/one");
      wipe();
      assert.deepEqual(within("rke2/server/db"), ["rke2-upgrade-CR-1-2"]);
      assert.deepEqual(within(ASIDE), ["etcd", "snapshots"]);
      rmSync(join(state, "rke2"), { recursive: true });
      rmSync(join(state, "back"), { recursive: true });
      assert.match(wipe(), /"wiped":true/);
    });

    it("leaves a mount beside etcd's folder where it is", () => {
      for (const name of ["etcd", "snapshots"]) put(`rke2/server/db/${name}/one`);
      put("bin/mountpoint", '#!/bin/sh\ncase "$2" in */db/snapshots) ;; *) exit 32 ;; esac\n');
      chmodSync(join(state, "bin/mountpoint"), 0o755);
      wipe(`PATH=${state}/bin:$PATH`);
      assert.deepEqual(within("rke2/server/db"), ["rke2-upgrade-CR-1-2", "snapshots"]);
      assert.deepEqual(within(ASIDE), ["etcd"]);
    });

    it("leaves what it moved until its change is settled", () => {
      put("rke2/server/db/etcd/name");
      wipe();
      put("owner", "owner-1 CR-1 by me since then\n");
      assert.equal(run("hold-node", ["release", "owner-1", "CR-1 by me"]).status, 0);
      assert.deepEqual(within("rke2/server/db"), []);
    });
  });

  describe("back-start.sh", () => {
    const start = (members: string, wiped = true) => {
      put("rke2/server/db/etcd/member/wal/0.wal");
      put("rke2/server/db/etcd/name", "sm02-0a1b2c3d");
      put(
        "rke2/server/db/etcd/config",
        "name: sm02-0a1b2c3d\nadvertise-client-urls: https://10.0.0.2:2379\n",
      );
      if (wiped) put("back/CR-1-1/wiped");
      const { status, stderr } = run(
        "back-start",
        ["1", "CR-1", "server", "v1", "30", LIVE],
        `etcd_peer_ask() { [ "$1" = https://${LIVE}:2380/members ] && [ -n '${members}' ] && echo '${members}'; }`,
      );
      assert.equal(status, 0, stderr);
      assert.equal(is("hold"), false);
      assert.match(readFileSync(join(state, "systemctl"), "utf8"), /restart --no-block rke2-server/);
      return is("rke2/server/db/etcd/member");
    };
    const listed = (...members: readonly object[]) => JSON.stringify(members);
    const live = member("sm01-11111111", LIVE);

    it("has a server that was put out of etcd while it joined join anew, with no data", () => {
      assert.equal(start(listed(live, member("sm020-0a1b2c3d", "10.0.0.20"))), false);
      assert.match(readFileSync(join(state, "systemctl"), "utf8"), /stop rke2-server.*\nkilled\n/);
      const [aside = ""] = within("rke2/server/db");
      assert.match(aside, /^rke2-upgrade-CR-1-1-\d{6}$/);
      assert.deepEqual(within(`rke2/server/db/${aside}`), ["etcd"]);
    });

    it("leaves one its data that is listed, by name or by address, and where nobody can tell", () => {
      assert.equal(start(listed(live, member("sm02-0a1b2c3d", "10.9.9.9"))), true);
      assert.equal(
        start(listed(live, { id: 8, peerURLs: ["https://10.0.0.2:2380"], isLearner: true })),
        true,
      );
      assert.equal(start(""), true);
      assert.equal(start("[]"), true);
    });

    it("takes no data that this way back did not make", () => {
      assert.equal(start(listed(live), false), true);
    });
  });

  describe("look-back.sh", () => {
    it("tells the room where the snapshot and the data go, and what etcd's folder is mounted from", () => {
      put("rke2/server/cred");
      const db = join(state, "rke2/server/db");
      put(
        "mounts",
        `/dev/sdb ${db} ext4 rw 0 0\n/dev/sdc ${db}/etcd ext4 rw 0 0\n/dev/sdd ${db}/snapshots nfs rw 0 0\n`,
      );
      const { status, stderr, stdout } = run(
        "look-back",
        ["v1", "CR-1", "server"],
        `df() { case "\${*: -1}" in */rke2*) printf 'Avail\\n8192000\\n' ;; *) printf 'Avail\\n1024000\\n' ;; esac; }`,
      );
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^stateRoom=\d+ 1000$/m);
      assert.match(stdout, /^etcdRoom=\d+ 8000$/m);
      assert.match(stdout, new RegExp(`^etcdMounts=${db}/etcd $`, "m"));
    });
  });

  describe("backup-config.sh", () => {
    it("keeps the config without our own drop-in of a way back that was broken off", () => {
      put("etc/config.yaml", "token: x\n");
      put("etc/config.yaml.d/50-site.yaml", "a: 1\n");
      put("etc/config.yaml.d/zzz-rke2-upgrade-join.yaml", 'server: ""\n');
      const text = readFileSync(join(scripts, "backup-config.sh"), "utf8")
        .replaceAll("etc/rancher/rke2", `${state.slice(1)}/etc`)
        .replaceAll("var/lib/rancher/rke2", `${state.slice(1)}/rke2`);
      const { status, stderr } = run("backup-config", ["CR-1", "v2"], "", text);
      assert.equal(status, 0, stderr);
      assert.deepEqual(within(`backup/CR-1${state}/etc/config.yaml.d`), ["50-site.yaml"]);
      assert.equal(is("etc/config.yaml.d/zzz-rke2-upgrade-join.yaml"), true);
    });
  });
});
