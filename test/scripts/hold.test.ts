/** What holds RKE2 on a node, and who lets it go: the scripts themselves in bash, on folders of the test's own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const scripts = join(__dirname, "../../scripts");
const LIBRARIES = ["lib", "lib-left", "lib-hold", "lib-back", "lib-service"];

describe("scripts: a node that is held", () => {
  let state: string;
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "hold-"));
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  const put = (name: string, text = "") => {
    mkdirSync(dirname(join(state, name)), { recursive: true });
    writeFileSync(join(state, name), text);
  };
  const is = (name: string) => existsSync(join(state, name));
  const told = () => (is("systemctl") ? readFileSync(join(state, "systemctl"), "utf8") : "");
  const JOIN = "config.yaml.d/zzz-rke2-upgrade-join.yaml";
  const DROPIN = "rke2-server.service.d/hold.conf";
  const hold = (why: string) => {
    put("hold", `${why}\n`);
    put(DROPIN);
    put("owner", "owner-1 CR-1 by me since then\n");
  };
  /** Plays a server whose RKE2 starts where the condition of its unit lets it. @param service as it is before */
  const run = (script: string, args: readonly string[], service: string) => {
    const { status, stderr, stdout } = spawnSync("bash", ["-s"], {
      input: `set -- ${[script, ...args].map((word) => `'${word}'`).join(" ")}
${LIBRARIES.map((name) => `. ${scripts}/${name}.sh`).join("\n")}
STATE=${state} RKE2_DATA=${state}/rke2 CONFIG_FOLDER=${state} HOLD=${state}/hold
JOIN_DROPIN=$CONFIG_FOLDER/config.yaml.d/\${JOIN_DROPIN##*/}
hold_dropin() { echo "${state}/rke2-$1.service.d/hold.conf"; }
etcd_ask() { return 1; }
version_on_disk() { echo v1; }
version_running() { echo v1; }
journalctl() { echo 'level=fatal msg="etcd is sick"'; }
sleep() { if [ "$(cat ${state}/service)" = activating ]; then echo active >${state}/service; fi; }
timeout() { shift; "$@"; }
echo ${service} >${state}/service
systemctl() {
  case "$*" in
  is-active*rke2-server.service) cat ${state}/service; [ "$(cat ${state}/service)" = active ] ;;
  is-active*) echo inactive; return 3 ;;
  "show --value -p ActiveState "*) cat ${state}/service ;;
  "show --value -p ExecMainStartTimestampMonotonic "*)
    echo $((($(cut -d. -f1 /proc/uptime) - $(cat ${state}/age 2>/dev/null || echo 0)) * 1000000)) ;;
  "show --value -p NRestarts "*) if [ ${service} = sick ] && [ -e ${state}/systemctl ]; then echo 3; else echo 0; fi ;;
  start*rke2-server.service | restart*rke2-server.service)
    echo "$*" >>${state}/systemctl
    if [ ${service} != sick ] && [ ! -e ${state}/${DROPIN} ]; then echo active >${state}/service; fi
    ;;
  esac
}
${readFileSync(join(scripts, `${script}.sh`), "utf8")}`,
      encoding: "utf8",
      timeout: 20_000,
    });
    return { status, stderr, result: stdout.trim().split("\n").at(-1) ?? "" };
  };

  describe("hold-node.sh release", () => {
    const release = (service: string, owner = "owner-1") => {
      assert.equal(run("hold-node", ["release", owner, "CR-1 by me"], service).status, 0);
    };

    it("lets RKE2 start again after the next reboot, and takes a placed etcd snapshot away", () => {
      hold("snapshot");
      put("restore/etcd-snapshot", "secrets");
      put(JOIN, 'server: ""\n');
      put("config.yaml.d/50-site.yaml");
      release("active");
      assert.deepEqual([is("hold"), is(DROPIN), is("restore"), is("owner")], [false, false, false, false]);
      assert.deepEqual([is(JOIN), is("config.yaml.d/50-site.yaml")], [false, true]);
    });

    it("lets no later scan be compared with the change's own, whose findings stay", () => {
      for (const name of ["before", "before.json"]) put(`scan/CR-1/${name}`);
      put("owner", "owner-1 CR-1 by me since then\n");
      release("active", "owner-2");
      assert.ok(is("scan/CR-1/before"));
      release("active");
      assert.deepEqual([is("scan/CR-1/before"), is("scan/CR-1/before.json")], [false, true]);
    });

    it("takes away what RKE2 was to import when that was cut off, and no archive of the site's own", () => {
      put("owner", "owner-1 CR-1 by me since then\n");
      const images = ["rke2-upgrade-1.tar.zst", ".rke2-upgrade.part", "rke2-images.linux-amd64.tar.zst"];
      for (const name of images) put(`rke2/agent/images/${name}`);
      release("active");
      assert.deepEqual(
        images.map((name) => is(`rke2/agent/images/${name}`)),
        [false, false, true],
      );
    });

    it("leaves a machine at rest that was put back, and what another change holds", () => {
      hold("snapshot");
      release("inactive");
      assert.deepEqual([is("hold"), is(DROPIN)], [true, true]);
      hold("way back, attempt 1 of CR-1");
      put("restore/etcd-snapshot", "secrets");
      put(JOIN, 'server: ""\n');
      release("active", "owner-2");
      assert.deepEqual([is("hold"), is(DROPIN), is("restore"), is(JOIN)], [true, true, true, true]);
    });
  });

  describe("start-held.sh", () => {
    const start = (service: string) => run("start-held", ["server", "30"], service);

    it("starts RKE2 and holds it again, for the snapshot to come", () => {
      hold("snapshot");
      const { status, stderr, result } = start("inactive");
      assert.equal(status, 0, stderr);
      assert.match(result, /"started":true/);
      assert.match(told(), /^restart --no-block/);
      assert.equal(readFileSync(join(state, "service"), "utf8"), "active\n");
      assert.deepEqual([is("hold"), is(DROPIN)], [true, true]);
    });

    it("leaves one that runs alone, and holds it again where an earlier start was broken off", () => {
      put("hold", "snapshot\n");
      assert.match(start("active").result, /"started":false/);
      assert.equal(told(), "");
      assert.deepEqual([is("hold"), is(DROPIN)], [true, true]);
    });

    it("never starts what a way back holds, and holds nothing by itself", () => {
      hold("way back, attempt 1 of CR-1");
      assert.match(start("inactive").result, /"started":false/);
      rmSync(join(state, "hold"));
      rmSync(join(state, DROPIN));
      assert.match(start("inactive").result, /"started":false/);
      assert.deepEqual([told(), is("hold"), is(DROPIN)], ["", false, false]);
    });

    it("tells why RKE2 does not come up, and keeps the hold in mind", () => {
      hold("snapshot");
      const { status, stderr } = start("sick");
      assert.equal(status, 1);
      assert.match(stderr, /does not come up on v1.*etcd is sick"\n {2}next: /);
      assert.equal(is("hold"), true);
    });
  });

  describe("back-start.sh", () => {
    /** What our drop-in adds to the server's config while it joins. */
    const startTo = (address: string) =>
      run("back-start", ["1", "CR-1", "server", "v1", "30", address], "inactive");
    const dropIn = (address: string) => {
      const { status, stderr } = startTo(address);
      assert.equal(status, 0, stderr);
      return readFileSync(join(state, JOIN), "utf8").split("\n").slice(1).filter(Boolean);
    };

    it("has the server that founded the cluster join with the token that it made up then", () => {
      put("config.yaml", "node-ip: 10.0.0.1\n");
      const wanted = ['server: "https://10.0.0.2:9345"', `token-file: ${state}/rke2/server/token`];
      assert.deepEqual(dropIn("10.0.0.2"), wanted);
      assert.deepEqual(dropIn("10.0.0.2"), wanted, "a rerun takes its own token away");
      assert.deepEqual(dropIn("none"), ['server: ""']);
    });

    it("leaves a start alone that is under way, and begins one anew that hangs", () => {
      const start = (seconds: string) =>
        run("back-start", ["1", "CR-1", "server", "v1", seconds, ""], "activating").status;
      put("age", "31");
      assert.deepEqual([start("60"), told()], [0, ""]);
      assert.deepEqual([start("30"), told()], [0, "restart --no-block rke2-server.service\n"]);
    });

    it("has the last word over every other file that says whom to join, or starts nothing", () => {
      put("config.yaml.d/99-site.yaml", "server: https://vip:9345\n");
      assert.equal(dropIn("10.0.0.2")[0], 'server: "https://10.0.0.2:9345"');
      rmSync(join(state, "systemctl"));
      put("config.yaml.d/zzzz.yml", '"server": https://vip:9345\n');
      for (const address of ["10.0.0.2", "none"]) {
        const { status, stderr } = startTo(address);
        assert.deepEqual([status, told()], [1, ""]);
        assert.match(stderr, /zzzz\.yml says which server to join.*\n {2}next: rename it/);
      }
    });

    it("leaves the token to the config where it is there", () => {
      put("config.yaml", "node-ip: 10.0.0.1\ntoken: secret\n");
      assert.deepEqual(dropIn("10.0.0.2"), ['server: "https://10.0.0.2:9345"']);
      put("config.yaml", "node-ip: 10.0.0.1\n");
      put("config.yaml.d/50-site.yml", "token-file: /etc/token\n");
      assert.deepEqual(dropIn("10.0.0.2"), ['server: "https://10.0.0.2:9345"']);
    });
  });

  describe("back-stop.sh", () => {
    const stop = () =>
      assert.equal(run("back-stop", ["1", "CR-1", "server", "service", "v1"], "inactive").status, 0);
    const why = () => readFileSync(join(state, "hold"), "utf8");

    it("leaves a machine known as put back that came up with its VM's snapshot, and holds any other for itself", () => {
      hold("snapshot");
      stop();
      assert.equal(why(), "snapshot\n");
      rmSync(join(state, DROPIN));
      stop();
      assert.equal(why(), "way back, attempt 1 of CR-1\n");
      assert.equal(is(DROPIN), true);
    });
  });

  describe("wake-node.sh", () => {
    it("never starts a server that came up with its VM's snapshot: its etcd data may be old", () => {
      for (const direction of ["forward", "back"]) {
        hold("snapshot");
        const { status, stderr } = run(
          "wake-node",
          ["1", "CR-1", "server", "v1", direction, "60"],
          "inactive",
        );
        assert.equal(status, 1);
        assert.match(stderr, /13509.*\n {2}next: .*goBack\.strategy rollback.*rm .*\/hold on it/);
        assert.deepEqual([told(), is("hold"), is(DROPIN)], ["", true, true]);
      }
    });

    it("lets one go that runs while it is held for its VM's snapshot, and starts what a way back holds", () => {
      const wake = (service: string) =>
        run("wake-node", ["1", "CR-1", "server", "v1", "forward", "60"], service).result;
      hold("snapshot");
      put(JOIN, 'server: ""\n');
      assert.match(wake("active"), /"started":false/);
      assert.deepEqual([is("hold"), is(DROPIN), is(JOIN)], [false, false, false]);
      hold("way back, attempt 1 of CR-1");
      assert.match(wake("inactive"), /"started":true/);
      assert.equal(is("hold"), false);
    });

    it("takes a placed etcd snapshot away, whether the node is up or not", () => {
      for (const service of ["active", "inactive"]) {
        put("restore/etcd-snapshot", "secrets");
        const { status, stderr } = run("wake-node", ["1", "CR-1", "server", "v1", "forward", "60"], service);
        assert.equal(status, 0, stderr);
        assert.equal(is("restore"), false, service);
      }
      assert.match(told(), /restart --no-block/);
    });

    it("leaves one that is on its way up, and starts one anew that hangs", () => {
      const wake = (seconds: string) =>
        run("wake-node", ["1", "CR-1", "server", "v1", "forward", seconds], "activating").result;
      put("age", "31");
      assert.match(wake("60"), /"started":false/);
      assert.match(wake("30"), /"started":true/);
      assert.match(told(), /restart --no-block rke2-server\.service/);
    });
  });
});
