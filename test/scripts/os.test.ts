/**
 * patch.sh, reboot.sh and look-os.sh in bash, before package managers that answer from files. That apt itself reads our
 * preferences so, the story on the lab shows (test/stories/osPatch.test.ts).
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { parseNode } from "../../observe/node";

const scripts = join(__dirname, "../../scripts");

/** apt-get: `installed` and `newer` hold "name version" lines; it obeys preferences, is locked out, or dies half-way. */
const APT = `#!/usr/bin/env bash
cd "\${0%/*}/.."
echo "apt-get $*" >>calls
if [ "\${*: -1}" = update ]; then exit 0; fi
prefs=/dev/null
for word in "$@"; do case $word in Dir::Etc::Preferences=*) prefs=\${word#*=} ;; esac; done
excluded() { local p; for p in $(sed -n 's/^Package: //p' "$prefs"); do if [ "$p" != '*' ] && [[ $1 == $p ]]; then return; fi; done; return 1; }
while read -r name version; do
  old=$(awk -v n="$name" '$1 == n { print $2 }' installed)
  if [ "$old" = "$version" ] || excluded "$name"; then continue; fi
  if [[ " $* " == *" -s "* ]]; then echo "Inst $name \${old:+[$old] }($version Debian:12/stable [amd64])"; continue; fi
  if [ -s lock ]; then sed -i '$d' lock; echo "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 42 (unattended-upgr)"; exit 100; fi
  if [ -s die ]; then sed -i '$d' die; if [ ! -s die ]; then kill -9 "$PPID"; exit 1; fi; fi
  sed -i "/^$name /d" installed
  echo "$name $version" >>installed
done <newer
`;

describe("scripts: a node's OS", () => {
  let state: string;
  const put = (name: string, ...rows: string[]) =>
    writeFileSync(join(state, name), rows.map((row) => `${row}\n`).join(""));
  const read = (name: string) => readFileSync(join(state, name), "utf8").trim().split("\n").filter(Boolean);
  const program = (name: string, text: string) => {
    writeFileSync(join(state, "bin", name), text);
    chmodSync(join(state, "bin", name), 0o755);
  };

  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "os-"));
    mkdirSync(join(state, "bin"));
    program("apt-get", APT);
    program("dpkg", "#!/bin/sh\nexit 0\n");
    program("dpkg-query", `#!/bin/sh\nsed 's/^\\(.*\\) /ii \\1=/' ${state}/installed\n`);
    put("manager", "apt");
    put("version", "v1");
    put("boot-id", "boot-1");
    put("installed", "bash 1", "linux-image-6 1", "nvidia-driver-9 1", "rke2-selinux 1");
    put("newer", "bash 2", "rke2-selinux 2");
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  /** A step, or a look, as it stands; systemd and the clock of waits are ours. */
  function run(script: string, ...args: string[]) {
    const text = readFileSync(join(scripts, `${script}.sh`), "utf8").replaceAll(
      "/proc/sys/kernel/random/boot_id",
      join(state, "boot-id"),
    );
    const { status, stdout, stderr } = spawnSync("bash", ["-s"], {
      input: `set -- ${script} ${args.join(" ")}
. ${scripts}/lib.sh; . ${scripts}/lib-os.sh
STATE=${state} REBOOT_MARK=${state}/reboot-required BOOT=${state}/boot MODULES=${state}/modules
sleep() { :; }
leader_away() { echo leader-away; }
until_ok() { shift; LAST=$("$@" 2>&1); }
others_are_a_quorum() { if [ -e ${state}/no-quorum ]; then echo "2 of 3 members answer"; return 1; fi; }
version_on_disk() { cat ${state}/version; }
os_manager() { cat ${state}/manager; }
systemd-run() { echo "$*" >>${state}/asked; }
${text}`,
      env: { ...process.env, PATH: `${state}/bin:${process.env.PATH}` },
      encoding: "utf8",
    });
    const last = stdout.trim().split("\n").at(-1) ?? "";
    return { status, stdout, stderr, said: last.startsWith("{") ? JSON.parse(last) : undefined };
  }
  const patch = (gpu = false) => run("patch", "CR-1", "v2", "v1", "full", String(gpu), "20");
  const reboot = (when = "whenNeeded", role = "agent", gpu = false) =>
    run("reboot", "CR-1", role, "v2", "v1", when, String(gpu));

  describe("patch.sh", () => {
    it("upgrades what is newer but RKE2's own, and tells packages before and after", () => {
      const { said, stdout } = patch();
      assert.match(stdout, /upgrading 1 packages: bash/);
      assert.deepEqual(
        [said.manager, said.upgraded, said.before, said.after, said.held],
        ["apt", 1, "bash=1", "bash=2", ""],
      );
      assert.ok(read("installed").includes("rke2-selinux 1"));
    });

    it("does nothing the second time, and still tells what the change has altered", () => {
      patch();
      const { said } = patch();
      assert.deepEqual([said.upgraded, said.before, said.after], [0, "bash=1", "bash=2"]);
    });

    it("leaves the word by which a look knows that it has begun, wherever it was killed, and none where it was held up", () => {
      const look = readFileSync(join(scripts, "look-node.sh"), "utf8");
      const part = /# The changes that began[\s\S]*?\ndone\n/.exec(look)?.[0] ?? assert.fail("not there");
      const patchedUnder = () =>
        parseNode(spawnSync("bash", ["-c", `STATE=${state}\n${part}`], { encoding: "utf8" }).stdout, 0, 0)
          .patchedUnder;
      assert.deepEqual(patchedUnder(), []);
      program("dpkg", "#!/bin/sh\necho 'E: Could not get lock /var/lib/dpkg/lock'; exit 2\n");
      assert.equal(run("patch", "CR-1", "v2", "v1", "full", "false", "0").status, 1);
      assert.deepEqual(patchedUnder(), []);
      program("dpkg", "#!/bin/sh\nexit 0\n");
      put("die", "x");
      patch();
      assert.ok(read("installed").includes("bash 1"));
      assert.deepEqual(patchedUnder(), ["CR-1"]);
      patch();
      assert.deepEqual(patchedUnder(), ["CR-1"]);
    });

    it("leaves a node alone that is past this part of its turn", () => {
      put("version", "v2");
      const { said } = patch();
      assert.deepEqual([said.upgraded, said.before, said.after], [0, "", ""]);
      assert.ok(read("installed").includes("bash 1"));
    });

    it("is past its patches in a round of its own once the reboot has ended well, and not before: no version says so", () => {
      const round = () => run("patch", "CR-1", "v1", "v1", "full", "false", "20");
      const then = (when: string) => run("reboot", "CR-1", "agent", "v1", "v1", when, "false").said;
      assert.equal(round().said.after, "bash=2");
      put("newer", "bash 3");
      assert.equal(round().said.after, "bash=3", "its turn goes on");
      assert.equal(then("always").rebooting, true);
      put("newer", "bash 4");
      assert.equal(round().said.after, "bash=4", "killed before it went down");
      assert.equal(then("always").rebooting, true);
      put("boot-id", "boot-2");
      assert.deepEqual([then("always").rebooting, then("always").rebooted], [false, true]);
      put("newer", "bash 5");
      const { said, stdout } = round();
      assert.match(stdout, /past its patches in CR-1/);
      assert.deepEqual([said.upgraded, said.before, said.after], [0, "bash=1", "bash=4"]);
      assert.ok(read("installed").includes("bash 4"));
      // Another round is another change.
      assert.equal(run("patch", "CR-2", "v1", "v1", "full", "false", "20").said.after, "bash=5");
    });

    it("waits for another package manager, who is named, and goes on", () => {
      put("lock", "x", "x");
      const { status, stdout } = patch();
      assert.equal(status, 0);
      assert.match(stdout, /waiting for another package manager: E: Could not get lock .*process 42/);
      assert.ok(read("installed").includes("bash 2"));
    });

    it("stops where that one does not end, and a rerun goes on", () => {
      put("lock", ...Array.from({ length: 9 }, () => "x"));
      const { status, stderr } = run("patch", "CR-1", "v2", "v1", "full", "false", "0");
      assert.equal(status, 1);
      assert.match(
        stderr,
        /another package manager has been at work here for 0 s: E: Could not get lock.*\n {2}next: /,
      );
      put("lock");
      assert.equal(patch().said.after, "bash=2");
    });

    it("finishes when it is run again, wherever it was killed, and tells all that was altered", () => {
      const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 1 });
      fc.assert(
        fc.property(names, fc.nat(5), (newer, kill) => {
          rmSync(join(state, "os"), { recursive: true, force: true });
          put("installed", ...newer.map((name) => `${name} 1`));
          put("newer", ...newer.map((name) => `${name} 2`));
          put("die", ...Array.from({ length: kill }, () => "x"));
          patch();
          put("die");
          const { said } = patch();
          assert.deepEqual(said.after.split(" "), newer.map((name) => `${name}=2`).sort());
          assert.deepEqual(said.before.split(" "), newer.map((name) => `${name}=1`).sort());
        }),
        { numRuns: 8 },
      );
    });

    it("moves kernel and NVIDIA's driver together or not at all on a GPU node, and says so; elsewhere each by itself", () => {
      const kernel = "linux-image-6 2";
      const driver = "nvidia-driver-9 2";
      for (const moved of [[kernel], [driver], [kernel, driver], []]) {
        for (const gpu of [true, false]) {
          put("installed", "bash 1", "linux-image-6 1", "nvidia-driver-9 1");
          put("newer", "bash 2", ...moved);
          rmSync(join(state, "os"), { recursive: true, force: true });
          const { said, stdout } = patch(gpu);
          const held = gpu && moved.length === 1;
          for (const row of moved) assert.equal(read("installed").includes(row), !held, `${gpu} ${moved}`);
          assert.equal(said.held, held ? moved[0]?.split(" ")[0] : "");
          assert.equal(/held, since on a GPU node/.test(stdout), held);
          assert.ok(read("installed").includes("bash 2"));
        }
      }
      put("newer", kernel);
      const { said, stdout } = patch(true);
      assert.match(stdout, /held, since .*: linux-image-6 \nno package is to be upgraded/);
      assert.deepEqual([said.held, said.upgraded], ["linux-image-6", 0]);
    });

    it("takes nothing for the driver that goes with any of them, and holds what is of its very release with it", () => {
      const toolkit = ["nvidia-container-toolkit", "libnvidia-container1", "nvidia-settings"];
      const cases: [moved: string[], held: string[]][] = [
        [["linux-image-6", ...toolkit], ["linux-image-6"]],
        [toolkit, []],
        [["linux-image-6-nvidia", ...toolkit], ["linux-image-6-nvidia"]],
        [
          ["nvidia-driver-9", "libnvidia-compute-9", ...toolkit],
          ["nvidia-driver-9", "libnvidia-compute-9"],
        ],
        [["linux-image-6", "nvidia-dkms-9", "libnvidia-compute-9", ...toolkit], []],
      ];
      for (const [moved, held] of cases) {
        put("installed", ...moved.map((name) => `${name} 1`));
        put("newer", ...moved.map((name) => `${name} 2`));
        rmSync(join(state, "os"), { recursive: true, force: true });
        const { said } = patch(true);
        assert.deepEqual(said.held.split(" ").filter(Boolean), held, moved.join(" "));
        for (const name of moved)
          assert.equal(read("installed").includes(`${name} 2`), !held.includes(name), `${name} of ${moved}`);
      }
    });
  });

  describe("reboot.sh", () => {
    const asked = () => {
      try {
        return read("asked").length;
      } catch {
        return 0;
      }
    };

    it("leaves a node alone that needs no reboot", () => {
      assert.deepEqual([reboot().said.rebooting, asked()], [false, 0]);
    });

    it("reboots where the OS asks for it, once, and says the boot IDs when it is back", () => {
      put("reboot-required", "yes");
      put("reboot-required.pkgs", "libc6", "libc6");
      const first = reboot();
      assert.match(first.stdout, /rebooting: asked for by libc6/);
      assert.deepEqual([first.said.rebooting, first.said.bootId, asked()], [true, "boot-1", 1]);
      // Killed before it went down: asked again.
      assert.equal(reboot().said.rebooting, true);
      put("boot-id", "boot-2");
      const { said } = reboot();
      assert.deepEqual(
        [said.rebooting, said.rebooted, said.bootIdBefore, said.bootId],
        [false, true, "boot-1", "boot-2"],
      );
      // The mark is still there: it is told, and not gone round in circles.
      assert.match(said.pending, /libc6/);
      assert.equal(asked(), 2);
    });

    it("reboots again for what was upgraded after", () => {
      put("reboot-required", "yes");
      reboot();
      put("boot-id", "boot-2");
      assert.equal(reboot().said.rebooting, false);
      patch();
      assert.equal(reboot().said.rebooting, true);
    });

    it("moves etcd's leadership away before a server goes down", () => {
      put("reboot-required", "yes");
      assert.match(reboot("whenNeeded", "server").stdout, /leader-away\n.*rebooting: /s);
      assert.doesNotMatch(reboot().stdout, /leader-away/);
    });

    it("reboots no server without which etcd has no quorum, and goes on once it has", () => {
      put("reboot-required", "yes");
      put("no-quorum", "");
      const { status, stderr, stdout } = reboot("whenNeeded", "server");
      assert.deepEqual([status, asked(), existsSync(join(state, "os/CR-1/boot"))], [1, 0, false]);
      assert.match(stderr, /without this server etcd has no quorum: 2 of 3 members answer\n {2}next: mend/);
      assert.doesNotMatch(stdout, /leader-away/);
      assert.equal(reboot().said.rebooting, true);
      rmSync(join(state, "no-quorum"));
      rmSync(join(state, "os"), { recursive: true });
      assert.equal(reboot("whenNeeded", "server").said.rebooting, true);
    });

    it("goes down ten seconds after its answer: that is to arrive from a loaded node too", () => {
      assert.equal(reboot("always").said.rebooting, true);
      assert.match(read("asked")[0] ?? "", / --on-active=10 .*systemctl reboot$/);
    });

    it("does as it is told: never, though one is pending; always, though none is", () => {
      assert.deepEqual([reboot("always").said.rebooting, asked()], [true, 1]);
      put("reboot-required", "yes");
      rmSync(join(state, "os"), { recursive: true });
      const { said, stdout } = reboot("never");
      assert.deepEqual([said.rebooting, asked()], [false, 1]);
      assert.match(stdout, /not rebooted, as osPatch.reboot says; one is pending/);
    });

    it("leaves a node alone that has its new RKE2", () => {
      put("reboot-required", "yes");
      put("version", "v2");
      assert.deepEqual([reboot("always").said.rebooting, asked()], [false, 0]);
    });

    it("sees a newer kernel of the flavour that runs, where packages leave no mark", () => {
      program("uname", "#!/bin/sh\necho 6.1.0-18-amd64\n");
      mkdirSync(join(state, "boot"));
      for (const kernel of ["6.1.0-9-amd64", "6.1.0-18-amd64", "6.1.0-30-cloud-amd64"])
        writeFileSync(join(state, "boot", `vmlinuz-${kernel}`), "");
      assert.equal(reboot().said.rebooting, false);
      writeFileSync(join(state, "boot", "vmlinuz-6.1.0-20-amd64"), "");
      assert.match(reboot().stdout, /rebooting: kernel 6\.1\.0-20-amd64 is installed, 6\.1\.0-18-amd64 runs/);
    });
  });

  describe("a GPU node's driver", () => {
    const [OLD, NEW] = ["6.8.0-50-generic", "6.8.0-60-generic"];
    /** Somebody else has put a newer kernel there, and a reboot stands; each kernel has these modules. */
    const kernels = (old: string[], newer: string[]) => {
      program("uname", `#!/bin/sh\necho ${OLD}\n`);
      put("reboot-required", "yes");
      put("newer", "bash 2");
      for (const folder of ["os", "boot", "modules"])
        rmSync(join(state, folder), { recursive: true, force: true });
      mkdirSync(join(state, "boot"));
      for (const [kernel, modules] of [
        [OLD, old],
        [NEW, newer],
      ] as const) {
        writeFileSync(join(state, "boot", `vmlinuz-${kernel}`), "");
        // What every kernel has of that name is no driver.
        for (const file of ["kernel/drivers/video/fbdev/nvidia/nvidiafb.ko", ...modules]) {
          const path = join(state, "modules", kernel, file);
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(path, "");
        }
      }
    };
    const looked = (gpu = true) =>
      /^driverless=(.*)$/m.exec(run("look-os", "full", String(gpu)).stdout)?.[1] ?? "";

    const UVM = "updates/dkms/nvidia-uvm.ko.zst";

    it("is not left behind by a reboot into a kernel that somebody else installed: that stops, before and then", () => {
      for (const driver of [
        UVM,
        "updates/dkms/nvidia-current-uvm.ko",
        "extra/drivers/video/nvidia-uvm.ko.xz",
      ]) {
        kernels([driver], []);
        assert.equal(looked(), NEW);
        for (const when of ["whenNeeded", "always"]) {
          const { status, stderr, stdout } = reboot(when, "server", true);
          assert.equal(status, 1, driver);
          assert.match(
            stderr,
            /boots kernel 6\.8\.0-60-generic, for which NVIDIA's driver is not installed here: 6\.8\.0-50-generic has it\n {2}next: install .*dkms autoinstall -k 6\.8\.0-60-generic.*pulumi up again/,
          );
          assert.doesNotMatch(stdout, /leader-away/);
          assert.ok(!existsSync(join(state, "os/CR-1")));
        }
        assert.equal(reboot("never", "server", true).status, 0);
      }
    });

    it("goes on where it is there for both, or for neither on the host, and on a node without gpu", () => {
      kernels([UVM], [UVM]);
      assert.deepEqual([looked(), reboot("whenNeeded", "agent", true).said.rebooting], ["", true]);
      kernels([], []);
      assert.deepEqual([looked(), reboot("whenNeeded", "agent", true).said.rebooting], ["", true]);
      kernels([UVM], []);
      assert.deepEqual([looked(false), reboot().said.rebooting], ["", true]);
      // What is left of a kernel that was removed boots no more.
      rmSync(join(state, "boot", `vmlinuz-${NEW}`));
      assert.deepEqual([looked(), reboot("whenNeeded", "agent", true).said.rebooting], ["", true]);
    });

    it("may come with the packages of its turn, together with a kernel: then the reboot alone is asked", () => {
      kernels([UVM], []);
      put("newer", "linux-image-6 2", "nvidia-driver-9 2");
      assert.equal(looked(), "");
      assert.equal(reboot("whenNeeded", "agent", true).status, 1);
      put("newer", "nvidia-driver-9 2");
      assert.equal(looked(), NEW, "held: it does not come alone");
    });
  });

  describe("other package managers", () => {
    const RUNNING = "5.14.0-503.el9_5.x86_64";
    /** Another machine: its manager, what it says of a reboot, and its kernels. */
    const machine = (manager: string, program_: string, answer: string, ...kernels: string[]) => {
      put("manager", manager);
      program(program_, `#!/bin/sh\n${answer}\n`);
      program("uname", `#!/bin/sh\necho ${RUNNING}\n`);
      rmSync(join(state, "boot"), { recursive: true, force: true });
      rmSync(join(state, "os"), { recursive: true, force: true });
      mkdirSync(join(state, "boot"));
      for (const kernel of kernels) writeFileSync(join(state, "boot", `vmlinuz-${kernel}`), "");
    };

    it("goes by what dnf and zypper say of a reboot", () => {
      const newer = [RUNNING, "5.14.0-503.11.1.el9_5.x86_64"];
      machine("dnf", "needs-restarting", "echo Reboot is required to fully utilize these updates.; exit 1");
      assert.match(reboot().stdout, /rebooting: needs-restarting: Reboot is required/);
      machine("dnf", "needs-restarting", "echo Reboot should not be necessary.", ...newer);
      assert.equal(reboot().said.rebooting, false);
      machine("zypper", "zypper", "exit 102");
      assert.match(reboot().stdout, /rebooting: zypper needs-rebooting/);
      machine("zypper", "zypper", "exit 0", ...newer);
      assert.equal(reboot().said.rebooting, false);
    });

    it("goes by the kernels where they do not say, and stops where those do not either: no round ends on the old one unseen", () => {
      const newer = "5.14.0-503.11.1.el9_5.x86_64";
      const others = ["0-rescue-5f0e", `${newer}+debug`, "5.15.0-300.el9uek.x86_64"];
      const silent: [string, string, string][] = [
        ["dnf", "needs-restarting", "echo No such command: needs-restarting. >&2; exit 1"],
        ["zypper", "zypper", "echo System management is locked; exit 7"],
      ];
      for (const [manager, name, answer] of silent) {
        machine(manager, name, answer, RUNNING, ...others, newer);
        assert.match(reboot().stdout, new RegExp(`rebooting: kernel ${newer} is installed, ${RUNNING} runs`));
        machine(manager, name, answer, RUNNING, ...others);
        const { status, stderr } = reboot();
        assert.equal(status, 1);
        assert.match(
          stderr,
          /whether a reboot is needed is not known: (dnf exits 1: No such command|zypper exits 7: System management is locked).*\n {2}next: mend that here .*dnf install dnf-utils.*pulumi up again/,
        );
        assert.ok(!existsSync(join(state, "os/CR-1/past")));
        assert.match(reboot("never").stdout, /not rebooted, .*whether one is pending is not known: /);
        assert.equal(reboot("always").said.rebooting, true);
      }
    });

    it("says in a look what is not known of a reboot", () => {
      machine("dnf", "needs-restarting", "echo No such command: needs-restarting.; exit 1", RUNNING);
      program("dnf", "#!/bin/sh\n");
      const { status, stdout } = run("look-os", "full", "false");
      assert.equal(status, 0);
      assert.match(stdout, /\nreboot=\nunknown=dnf exits 1: No such command: needs-restarting/);
    });

    const planned = (manager: string, text: string) => {
      put("text", text);
      const { stdout } = spawnSync("bash", ["-s"], {
        input: `set -- x\n. ${scripts}/lib.sh; . ${scripts}/lib-os.sh\nplanned ${manager} <${state}/text`,
        encoding: "utf8",
      });
      return stdout.trim().split("\n");
    };

    it("reads dnf's list up to what is obsoleted", () => {
      const text = `
kernel.x86_64                 5.14.0-503.40.1.el9_5      baseos
openssl-libs.x86_64           1:3.2.2-6.el9_5.1          baseos
Obsoleting Packages
old.x86_64                    1-1                        baseos
    older.x86_64              1-0                        @baseos`;
      assert.deepEqual(planned("dnf", text), [
        "kernel.x86_64 - 5.14.0-503.40.1.el9_5",
        "openssl-libs.x86_64 - 1:3.2.2-6.el9_5.1",
      ]);
    });

    it("reads rows that dnf breaks, since they are wider than the 80 columns that it takes a pipe for", () => {
      const text = `
kernel-core.x86_64            5.14.0-503.40.1.el9_5      rhel-9-baseos
kmod-nvidia-latest-dkms.x86_64
                              3:570.133.20-1.el9         cuda-rhel9-x86_64
nvidia-driver-cuda-libs-legacy.x86_64
                              3:570.133.20-1.0000.el9.elrepo
                                                         rhel-9-for-x86_64-appstream-rpms
openssl-libs.x86_64           1:3.2.2-6.el9_5.1.0000.elrepo
                                                         rhel-9-for-x86_64-baseos-rpms

Security: kernel-core-5.14.0-503.el9_5.x86_64 is the currently running version
bash.x86_64                   5.1.8-9.el9                baseos`;
      assert.deepEqual(planned("dnf", text), [
        "kernel-core.x86_64 - 5.14.0-503.40.1.el9_5",
        "kmod-nvidia-latest-dkms.x86_64 - 3:570.133.20-1.el9",
        "nvidia-driver-cuda-libs-legacy.x86_64 - 3:570.133.20-1.0000.el9.elrepo",
        "openssl-libs.x86_64 - 1:3.2.2-6.el9_5.1.0000.elrepo",
        "bash.x86_64 - 5.1.8-9.el9",
      ]);
    });

    it("reads what zypper would upgrade and install, and nothing else", () => {
      // As zypper 1.14 has it, but for the names.
      const text = `<?xml version='1.0'?>
<stream>
<message type="info">Resolving package dependencies...</message>
<install-summary download-size="22072" space-usage-diff="0" packages-to-change="4">
<to-upgrade>
<solvable type="package" name="bash" edition="4.4-27.1" arch="x86_64" edition-old="4.4-25.22" arch-old="x86_64" summary="x">
<description>x</description></solvable>
<solvable type="package" name="rke2-selinux" edition="1.1-1" arch="noarch" edition-old="1.0-1" arch-old="noarch" summary="x">
</to-upgrade>
<to-install>
<solvable type="patch" name="SUSE-2026-1" edition="1" arch="noarch" summary="t">
<solvable type="package" name="kernel-default" edition="6.4.0-23.47.2" arch="x86_64" summary="t">
</to-install>
<to-remove>
<solvable type="package" name="old" edition="1-1" arch="x86_64" summary="t">
</to-remove>
</install-summary></stream>`;
      assert.deepEqual(planned("zypper", text), [
        "bash 4.4-25.22 4.4-27.1",
        "rke2-selinux 1.0-1 1.1-1",
        "kernel-default - 6.4.0-23.47.2",
      ]);
    });

    /** zypper: \`newer\` holds what it would upgrade, a patch of its own first and alone, and it says so by 103. */
    const ZYPPER = `#!/usr/bin/env bash
cd "\${0%/*}/.."
echo "zypper $*" >>calls
now=newer code=0
if grep -qw zypper newer; then grep -w zypper newer >alone; now=alone code=103; fi
case " $* " in
*" --dry-run "*)
  echo "<to-upgrade>"
  while read -r name version; do printf '<solvable type="package" name="%s" edition="%s">\\n' "$name" "$version"; done <$now
  echo "</to-upgrade>"
  exit $code
  ;;
*" update "*)
  for name in "$@"; do if [ ! -e stuck ]; then sed -i "/^$name /d" newer; fi; echo "$name" >>upgraded; done
  ;;
esac
`;
    it("has zypper go on until nothing is left: a patch of its own comes first and alone", () => {
      put("manager", "zypper");
      program("zypper", ZYPPER);
      program("rpm", "#!/bin/sh\n");
      put("newer", "zypper 2", "openssl 2", "rke2-selinux 2");
      const { status, stdout, stderr } = patch();
      assert.equal(status, 0, stderr);
      assert.match(stdout, /upgrading 1 packages: zypper[\s\S]*upgrading 1 packages: openssl/);
      assert.match(stdout, /"upgraded":2/);
      assert.deepEqual(read("newer"), ["rke2-selinux 2"]);

      put("newer", "openssl 3");
      put("stuck", "x");
      const stuck = patch();
      assert.equal(stuck.status, 1);
      assert.match(stuck.stderr, /after 3 rounds zypper would still upgrade openssl.*next: /s);
    });

    it("takes kernels and drivers by their names on all three", () => {
      const names = [
        ...["linux-image-6.1.0-18-amd64", "linux-headers-generic", "linux-modules-nvidia-550-generic"],
        ...[
          "kernel.x86_64",
          "kernel-core.x86_64",
          "kernel-default",
          "kernel-headers.x86_64",
          "linux-libc-dev",
        ],
        ...[
          "nvidia-driver-550",
          "libnvidia-compute-550",
          "kmod-nvidia-open-dkms.noarch",
          "cuda-drivers",
          "bash",
        ],
        ...["nvidia-tesla-470-driver", "nvidia-kernel-dkms", "nvidia-open-driver-G06-signed-kmp-default"],
        ...["nvidia-driver-assistant", "nvidia-container-toolkit", "linux-image-6.8.0-1010-nvidia"],
      ];
      const { stdout } = spawnSync("bash", ["-s"], {
        input: `set -- x\n. ${scripts}/lib.sh; . ${scripts}/lib-os.sh
PLAN=$(printf '%s 1 2\\n' ${names.join(" ")})
named "$PLAN" "$KERNEL" "$NO_KERNEL|$DRIVER" | tr '\\n' ' '; echo; named "$PLAN" "$DRIVER" "$NO_DRIVER" | tr '\\n' ' '`,
        encoding: "utf8",
      });
      assert.deepEqual(stdout.trim().split(" \n"), [
        "linux-image-6.1.0-18-amd64 linux-headers-generic kernel.x86_64 kernel-core.x86_64 kernel-default linux-image-6.8.0-1010-nvidia",
        "linux-modules-nvidia-550-generic nvidia-driver-550 kmod-nvidia-open-dkms.noarch cuda-drivers nvidia-tesla-470-driver nvidia-kernel-dkms nvidia-open-driver-G06-signed-kmp-default",
      ]);
    });
  });
});
