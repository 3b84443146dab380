/** A node's scan: scan.sh itself in bash, with an archive whose kube-bench prints what the test says. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readScan } from "../../components/scan";

const scripts = join(__dirname, "../../scripts");
const FROM = "v1.35.4+rke2r1";
const TO = "v1.36.3+rke2r1";
type Statuses = Record<string, string>;

/** kube-bench's own JSON, cut to what is read, with a trap in a text. */
const report = (statuses: Statuses) =>
  JSON.stringify({
    Controls: [
      {
        id: "4",
        tests: [
          {
            section: "4.1",
            results: Object.entries(statuses).map(([number, status]) => ({
              test_number: number,
              test_desc: `Ensure ${number}`,
              audit: `echo '"status":"FAIL"' "test_number":"9.9.9"`,
              status,
            })),
          },
        ],
      },
    ],
    Totals: {},
  });

describe("scripts/scan.sh", () => {
  let folder: string;
  let sha256: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "scan-"));
    for (const name of ["tool/cfg/rke2-cis-1.7", "tool/cfg/rke2-cis-1.24", "config", "state"])
      mkdirSync(join(folder, name), { recursive: true });
    const program = `#!/bin/sh\necho "$*" >>${folder}/asked\ncat ${folder}/report.json\n`;
    writeFileSync(join(folder, "tool/kube-bench"), program, { mode: 0o755 });
    execFileSync("tar", [
      "-czf",
      join(folder, "kube-bench.tar.gz"),
      "-C",
      join(folder, "tool"),
      "cfg",
      "kube-bench",
    ]);
    sha256 = hash("sha256", readFileSync(join(folder, "kube-bench.tar.gz")));
    profile("cis");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const profile = (value: string) =>
    writeFileSync(join(folder, "config/config.yaml"), `profile: "${value}"\n`);
  function scan(
    when: string,
    statuses: Statuses,
    more: {
      ids?: string[];
      version?: string;
      wanted?: string;
      source?: string;
      sha?: string;
      benchmark?: string;
    } = {},
  ) {
    writeFileSync(join(folder, "report.json"), report(statuses));
    const args = [
      when,
      "agent",
      "CR-1",
      more.wanted ?? TO,
      FROM,
      more.source ?? `file://${folder}/kube-bench.tar.gz`,
      more.sha ?? sha256,
      "''",
      more.benchmark ?? "rke2-cis-1.7",
    ];
    const text = readFileSync(join(scripts, "scan.sh"), "utf8");
    const { status, stdout, stderr } = spawnSync("bash", ["-s", "scan"], {
      input: `source ${scripts}/lib.sh\nsource ${scripts}/lib-fetch.sh\nsource ${scripts}/lib-scanner.sh
trap - ERR
STATE=${folder}/state CONFIG_FOLDER=${folder}/config RKE2_DATA=${folder}/rke2
unshare() { echo "$1" >>${folder}/unshared; shift; "$@"; }
SLEPT=0
sleep() { SLEPT=$((SLEPT + 60)); }
date() { if [ "$*" = +%s ]; then echo $(($(command date +%s) + SLEPT)); else command date "$@"; fi; }
systemctl() { :; }
version_on_disk() { echo ${more.version ?? FROM}; }
set -- ${[...args, ...(more.ids ?? [])].join(" ")}
${text}`,
      encoding: "utf8",
    });
    return { failed: status === 0 ? "" : stderr, found: status === 0 ? readScan(stdout) : {}, stdout };
  }

  it("keeps the first scan once a change, as data, and none of a node that is on the wanted version", () => {
    const first = scan("before", { "4.1.5": "PASS", "4.1.6": "FAIL", "4.1.7": "WARN" });
    assert.deepEqual(first.found.checks, { "4.1.5": "PASS", "4.1.6": "FAIL", "4.1.7": "WARN" });
    const { pass, fail, warn, info, failed, profile, kept } = first.found;
    assert.deepEqual(
      { pass, fail, warn, info, failed, profile, kept },
      { pass: 1, fail: 1, warn: 1, info: 0, failed: "4.1.6", profile: "cis", kept: undefined },
    );
    assert.match(
      readFileSync(join(folder, "asked"), "utf8"),
      /^run --config-dir \S+ --config \S+ --benchmark rke2-cis-1\.7 --targets node --json\n$/,
    );
    assert.deepEqual(scan("before", { "4.1.5": "FAIL" }, { version: TO }).found.checks, first.found.checks);
    rmSync(join(folder, "state/scan/CR-1"), { recursive: true });
    assert.equal(scan("before", { "4.1.5": "FAIL" }, { version: TO }).found.kept, false);
    assert.equal(existsSync(join(folder, "state/scan/CR-1")), false);
  });

  it("scans before in a round of OS patches too, until the node is patched: its version cannot tell", () => {
    const first = () => scan("before", { "4.1.5": "PASS" }, { wanted: FROM }).found;
    assert.equal(first().pass, 1);
    rmSync(join(folder, "state/scan/CR-1"), { recursive: true });
    mkdirSync(join(folder, "state/os/CR-1"), { recursive: true });
    writeFileSync(join(folder, "state/os/CR-1/before"), "");
    assert.equal(first().kept, false);
  });

  it("stops in a node's turn as after it", () => {
    scan("before", { "4.1.5": "PASS" });
    assert.match(scan("turn", { "4.1.5": "FAIL" }).failed, /new failures since before the change: 4\.1\.5/);
    assert.equal(scan("turn", { "4.1.5": "FAIL" }, { ids: ["4.1.5"] }).found.new, "4.1.5");
  });

  it("goes on where nothing fails newly: old failures, mended ones, new warnings", () => {
    scan("before", { "4.1.5": "PASS", "4.1.6": "FAIL", "4.2.1": "FAIL" });
    const { failed, found } = scan(
      "after",
      { "4.1.5": "WARN", "4.1.6": "FAIL", "4.2.1": "PASS" },
      { version: TO },
    );
    assert.equal(failed, "");
    assert.deepEqual([found.failed, found.new], ["4.1.6", ""]);
  });

  it("stops at each new failure by number and words, until all are acknowledged", () => {
    scan("before", { "4.1.5": "PASS", "4.1.6": "WARN" });
    const now = { "4.1.5": "FAIL", "4.1.6": "FAIL", "4.1.50": "FAIL" };
    assert.match(
      scan("after", now).failed,
      /new failures since before the change: 4\.1\.5 Ensure 4\.1\.5; 4\.1\.6 Ensure 4\.1\.6; 4\.1\.50 /,
    );
    const some = scan("accept", now, { ids: ["4.1.5"] }).failed;
    assert.match(some, /change: 4\.1\.6 Ensure 4\.1\.6; 4\.1\.50 /);
    assert.match(some, /'rke2-upgrade:scan\.acknowledged\[1\]\.id' 4\.1\.6/);
    const all = scan("accept", now, { ids: ["4.1.5", "4.1.6", "4.1.50"] });
    assert.equal(all.found.new, "4.1.5 4.1.6 4.1.50");
    assert.match(all.stdout, /fails newly, acknowledged: 4\.1\.5 Ensure 4\.1\.5/);
  });

  it("stops where a hardened node has lost its profile", () => {
    scan("before", { "4.1.5": "PASS" });
    profile("");
    assert.match(
      scan("after", { "4.1.5": "PASS" }).failed,
      /profile was cis before the change and is unset now/,
    );
  });

  it("finds the profile in any quotes or none, in the last file that says one", () => {
    const found = (text: string) => {
      writeFileSync(join(folder, "config/config.yaml"), `${text}\n`);
      return scan("after", { "4.1.5": "PASS" }).found.profile;
    };
    for (const text of ["profile: cis", "profile: 'cis'", 'profile: "cis" # hardened', "'profile' : cis"])
      assert.equal(found(text), "cis", text);
    assert.equal(found("profile:"), "");
    assert.equal(found("# profile: cis"), "");
    mkdirSync(join(folder, "config/config.yaml.d"));
    writeFileSync(join(folder, "config/config.yaml.d/50.yaml"), "profile: 'cis-1.23'\n");
    assert.equal(found("profile: cis"), "cis-1.23");
  });

  it("compares with the benchmark and the release that scanned before alone, and scans anew while nothing is touched", () => {
    const before = { "4.1.5": "FAIL" };
    scan("before", before);
    for (const when of ["turn", "after", "accept"]) {
      assert.match(
        scan(when, before, { benchmark: "rke2-cis-1.24" }).failed,
        /scanned with rke2-cis-1\.7 of .*now rke2-cis-1\.24 of .*cannot be compared\n {2}next: put scan\.benchmark .*back/,
      );
      assert.match(scan(when, before, { sha: "0".repeat(64) }).failed, /now rke2-cis-1\.7 of 0{64} is asked/);
    }
    assert.match(
      scan("before", before, { benchmark: "rke2-cis-1.24", version: TO }).failed,
      /cannot be compared/,
    );
    const anew = scan("before", { "4.1.5": "PASS" }, { benchmark: "rke2-cis-1.24" });
    assert.match(anew.stdout, /nothing was touched yet: scanned anew, with rke2-cis-1\.24/);
    assert.equal(anew.found.failed, "");
    assert.match(
      scan("turn", { "4.1.5": "FAIL" }, { benchmark: "rke2-cis-1.24" }).failed,
      /new failures since/,
    );
  });

  describe("from an image", () => {
    const digest = "cd".repeat(32);
    const more = { source: `docker.io/aquasec/kube-bench@sha256:${digest}`, sha: digest };
    const did = (name: string) => readFileSync(join(folder, name), "utf8").trim().split("\n");
    /** @param mounts what ctr does for a mount, in the place of the folder */
    const play = (mounts: string, pull = "true") => {
      mkdirSync(join(folder, "rke2/bin"), { recursive: true });
      const program = (name: string, text: string) =>
        writeFileSync(join(folder, "rke2/bin", name), `#!/bin/sh\necho "$*" >>${folder}/${name}\n${text}\n`, {
          mode: 0o755,
        });
      program(
        "crictl",
        `case $3 in inspecti) [ -e ${folder}/pulled ] ;; pull) ${pull} && touch ${folder}/pulled ;; esac`,
      );
      program(
        "ctr",
        `[ "$1 $2 $3 $4" = "--address /run/k3s/containerd/containerd.sock --namespace k8s.io" ] || exit 1
case $6 in mount) cd "$8"; ${mounts} ;; unmount) rm -rf "$8/usr" "$8/opt" ;; esac`,
      );
    };
    const image = () =>
      play(
        `mkdir -p usr/local/bin opt/kube-bench && cp ${folder}/tool/kube-bench usr/local/bin && cp -r ${folder}/tool/cfg opt/kube-bench`,
      );

    it("pulls it once through RKE2's containerd, and takes program and cfg/ out of it where nothing stays mounted", () => {
      image();
      assert.equal(scan("before", { "4.1.5": "PASS" }, more).found.pass, 1);
      assert.match(scan("turn", { "4.1.5": "FAIL" }, more).failed, /new failures since/);
      const asked = `--config ${folder}/rke2/agent/etc/crictl.yaml`;
      assert.deepEqual(did("crictl"), [
        `${asked} inspecti -q ${more.source}`,
        `${asked} pull ${more.source}`,
      ]);
      const place = `${folder}/state/scan/kube-bench-${digest}.part/image`;
      const images = "--address /run/k3s/containerd/containerd.sock --namespace k8s.io images";
      assert.deepEqual(did("ctr"), [
        `${images} mount ${more.source} ${place}`,
        `${images} unmount --rm ${place}`,
      ]);
      assert.deepEqual(did("unshared"), ["--mount"]);
      assert.equal(existsSync(`${folder}/state/scan/kube-bench-${digest}.part`), false);
    });

    it("unmounts one that holds no kube-bench or was not mounted whole, says so, and takes the next", () => {
      for (const [mounts, said] of [
        ["mkdir usr", "cannot stat"],
        ["echo no overlay here >&2; exit 1", "no overlay here"],
      ] as const) {
        play(mounts);
        const { failed } = scan("before", { "4.1.5": "PASS" }, more);
        assert.match(
          failed,
          new RegExp(`cannot take kube-bench out of docker.*${said}.*\\n  next: set scan\\.image`, "s"),
        );
        assert.match(did("ctr").at(-1) ?? "", / unmount --rm /);
      }
      image();
      assert.equal(scan("before", { "4.1.5": "PASS" }, more).found.pass, 1);
    });

    it("says where to look where it cannot be pulled", () => {
      play("true", "{ echo denied; false; }");
      assert.match(
        scan("before", { "4.1.5": "PASS" }, more).failed,
        /cannot pull docker\.io\S+: denied\n {2}next: .*registries\.yaml/,
      );
      assert.equal(existsSync(join(folder, "asked")), false);
    });
  });

  it("compares nothing where nothing was scanned before, says so, and holds on to a way back that is still there", () => {
    for (const when of ["turn", "after", "accept"]) {
      const { found, stdout } = scan(when, { "4.1.5": "FAIL" });
      assert.equal(found.failed, "4.1.5");
      assert.match(stdout, /compared with nothing: there is no scan of this node from before CR-1/);
    }
    for (const mark of ["backup/CR-1/complete", "os/CR-1/before"]) {
      mkdirSync(dirname(join(folder, "state", mark)), { recursive: true });
      writeFileSync(join(folder, "state", mark), "");
      assert.equal(scan("after", { "4.1.5": "FAIL" }).failed, "");
      assert.match(
        scan("accept", { "4.1.5": "FAIL" }).failed,
        /no scan of this node from before CR-1.*way back is still there\n {2}next: judge .*: 4\.1\.5\).*take scan out of the config/,
      );
      rmSync(join(folder, "state", mark));
    }
    // Another change's are none of this one's.
    mkdirSync(join(folder, "state/backup/CR-0"));
    writeFileSync(join(folder, "state/backup/CR-0/complete"), "");
    assert.equal(scan("accept", { "4.1.5": "FAIL" }).failed, "");
  });

  it("runs nothing of an archive that is another, and names the benchmarks there are", () => {
    assert.match(
      scan("before", {}, { sha: "0".repeat(64) }).failed,
      /is not the archive of scan\.sha256.*nothing of it was run/s,
    );
    assert.equal(existsSync(join(folder, "asked")), false);
    assert.match(
      scan("before", {}, { benchmark: "rke2-cis-9" }).failed,
      /set scan\.benchmark to one of: rke2-cis-1\.24 rke2-cis-1\.7/,
    );
    assert.match(scan("before", {}).failed, /kube-bench told no result/);
  });
});
