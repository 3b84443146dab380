/** Rancher's scripts with a kubectl that answers from a folder: what an object's file says is what the cluster says. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRancher } from "../../observe/rancher";
import { bareText, stepText } from "../../scripts";

/** Answers by the object asked for; a delete and a scale are noted, and what they lead to happens. */
const KUBE = `
kube() {
  shift
  echo "$*" >>asked
  case "$*" in
  'get crd -o name') cat crds ;;
  *'get settings.management.cattle.io server-version'*) cat version ;;
  'get backups.resources.cattle.io '*resourceSetName*) [ ! -e backup ] || cat backup.asked ;;
  'get backups.resources.cattle.io '*) cat backup ;;
  'get restores.resources.cattle.io '*backupFilename*) [ ! -e restore ] || cat restore.asked ;;
  'get restores.resources.cattle.io '*) [ ! -e restore ] || cat restore ;;
  'delete backups.resources.cattle.io '*) rm backup ;;
  'delete restores.resources.cattle.io '*) rm restore ;;
  *'get pods -l app.kubernetes.io/name=rancher-backup'*metadata.uid*) cat pod ;;
  *'get pods -l app.kubernetes.io/name=rancher-backup'*) printf x ;;
  'get resourcesets.resources.cattle.io '*) printf 'resourceset\\tfull\\n' ;;
  *'get pods -l app=rancher'*) ;;
  *'get deployment rancher'*) cat replicas ;;
  *'scale deployment rancher --replicas='*) printf '%s' "\${6#*=}" >replicas ;;
  *'get pvc'*) echo volume ;;
  'get pv volume'*) cat directory ;;
  *'get service rancher'*) printf 80 ;;
  'get --raw /api/v1/namespaces/cattle-system/services/http:rancher:80/proxy/ping') cat ping ;;
  'get clusters.management.cattle.io '*) cat clusters; [ ! -e later ] || mv later clusters ;;
  *) echo "kubectl does not know $*" >&2; return 1 ;;
  esac
}
create_object() { cat >created; bash made; }
api_ready() { :; }
if [ -e clock ]; then
  # Time passes by sleeping alone.
  date() { case "$*" in +%s) cat clock ;; *) command date "$@" ;; esac; }
  sleep() { echo $(($(cat clock) + $1)) >clock.new; mv clock.new clock; }
fi
`;

const CRDS = ["backups.resources", "settings.management"].map(
  (kind) => `customresourcedefinition.apiextensions.k8s.io/${kind}.cattle.io`,
);
const EXPORTED = "rke2up-cr-1-2.14.3-u.tar.gz|2026-11-24T07:27:09Z|PV|Ready=True (Completed); ";
const WAITING = "-|-|-|Reconciling=True (disk full); Ready=Unknown (Retrying); ";

describe("Rancher's scripts", () => {
  let folder: string;
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rancher-scripts-"));
    mkdirSync(join(folder, "state"));
    put("crds", `${CRDS.join("\n")}\n`);
    put("version", "v2.14.3");
    put("pod", "m03 u-1 claim\nm02 u-2 claim\n");
    put("directory", "/backups||");
    put("replicas", "2");
    put("restore.asked", "file.tar.gz ");
    put("ping", "pong");
    put("clusters", "local\tlocal\tTrue\t-\nc-m-1\ttelescope\tTrue\tTrue\n");
    put("made", `printf '%s' '${EXPORTED}' >backup; echo 'full ' >backup.asked`);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs a script in the folder, its own part after the stand-in. */
  function run(name: string, text: string, ...args: string[]) {
    const body = text.lastIndexOf("#!/usr/bin/env bash");
    const lib = text.indexOf("# What every step shares");
    const input = `set -euo pipefail\n${text.slice(lib, body)}\nSTATE=state\n${KUBE}\n${text.slice(body)}`;
    const options = { input, encoding: "utf8", cwd: folder } as const;
    const { status, stdout, stderr } = spawnSync("bash", ["-s", "--", name, ...args], options);
    return { status, stdout, stderr };
  }
  const exported = (seconds = "1") =>
    run("rancher-export", bareText("rancher-export"), "rke2up-cr-1", "full", seconds, "");
  const ready = (away: string[] = [], watch = "0") =>
    run(
      "rancher-ready",
      stepText("rancher-ready"),
      "cattle-system",
      "rancher",
      "2.14.3",
      "1",
      watch,
      ...away,
    );
  const restored = () =>
    run(
      "rancher-restore",
      stepText("rancher-restore"),
      ...["CR_1", "cattle-system", "rancher", "2.14.3", "file.tar.gz", "1", ""],
    );

  it("export: one is made, of the version that runs, and where its file is is told", () => {
    const { status, stdout, stderr } = exported();
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "rke2up-cr-1-2.14.3-u.tar.gz\tm03\t/backups/rke2up-cr-1-2.14.3-u.tar.gz\tv2.14.3\n");
    const { metadata, spec } = JSON.parse(readFileSync(join(folder, "created"), "utf8"));
    assert.deepEqual([metadata.name, spec], ["rke2up-cr-1-2.14.3", { resourceSetName: "full" }]);
  });

  it("export: one that is on its way is waited for, a completed one is made anew", () => {
    put("backup", WAITING);
    put("backup.asked", "full ");
    const late = exported();
    assert.equal(late.status, 1);
    assert.match(
      late.stderr,
      /has not completed rke2up-cr-1-2\.14\.3 after 1 s: Reconciling=True \(disk full\)/,
    );
    assert.ok(!existsSync(join(folder, "created")));
    put("backup", EXPORTED);
    assert.equal(exported().status, 0);
    assert.ok(existsSync(join(folder, "created")));
  });

  it("export: what this program cannot fetch is refused by name", () => {
    put("made", `printf '%s' '${EXPORTED.replace("PV", "S3")}' >backup`);
    assert.match(exported().stderr, /keeps its files in S3/);
    put("made", `printf '%s' '${EXPORTED}' >backup`);
    rmSync(join(folder, "backup"));
    put("directory", "||");
    assert.match(exported().stderr, /volume volume is no folder of a node/);
    rmSync(join(folder, "backup"));
    put("pod", "");
    assert.match(exported().stderr, /no running pod of rancher-backup has a persistent volume/);
  });

  for (const [kind, source, mounted] of [
    ["CSI", "|driver.longhorn.io|", "kubernetes.io~csi/volume/mount"],
    ["NFS", "||/exports/rancher", "kubernetes.io~nfs/volume"],
  ])
    it(`export: a ${kind} volume's file is where the kubelet mounts it for the pod`, () => {
      put("directory", source ?? "");
      const [, node, path] = exported().stdout.split("\t");
      const file = `/var/lib/kubelet/pods/u-1/volumes/${mounted}/rke2up-cr-1-2.14.3-u.tar.gz`;
      assert.deepEqual([node, path], ["m03", file]);
    });

  it("look: where rancher-backup keeps its files is told before any is written", () => {
    const volume = () => {
      const { status, stdout, stderr } = run(
        "look-rancher",
        bareText("look-rancher"),
        "cattle-system",
        "rancher",
      );
      assert.equal(status, 0, stderr);
      return parseRancher(stdout).backupVolume;
    };
    put("crds", `${[...CRDS, CRDS[0]?.replace("backups", "resourcesets")].join("\n")}\n`);
    assert.deepEqual(volume(), { name: "volume", node: "m03", isFolder: true });
    put("directory", "||");
    assert.equal(volume()?.isFolder, false);
    put("pod", "");
    assert.equal(volume(), undefined);
  });

  it("export: without rancher-backup it is refused, without Rancher there is none", () => {
    put("crds", `${CRDS[1]}\n`);
    assert.match(exported().stderr, /rancher-backup is not installed/);
    put("version", "");
    assert.deepEqual([exported().status, exported().stdout], [0, ""]);
    put("crds", "\n");
    assert.deepEqual([exported().status, exported().stdout], [0, ""]);
  });

  it("ready: what does not answer, is of another version or is away is told", () => {
    assert.equal(ready().status, 0);
    put("clusters", "local\tlocal\tTrue\t-\nc-m-1\ttelescope\tTrue\tFalse\n");
    assert.match(ready().stderr, /c-m-1 \(telescope\): its agent is not connected/);
    assert.equal(ready(["c-m-1"]).status, 0);
    put("version", "v2.13.0");
    assert.match(ready().stderr, /says that it is v2\.13\.0, wanted v2\.14\.3/);
    put("ping", "no");
    assert.match(ready().stderr, /\/ping says no/);
  });

  it("ready: an agent that seems connected, as before the rollout, must stay so", () => {
    put("clock", "0");
    assert.equal(ready([], "30").status, 0);
    put("later", "local\tlocal\tTrue\t-\nc-m-1\ttelescope\tTrue\tFalse\n");
    assert.match(
      ready([], "30").stderr,
      /Rancher is not well after 1 s: c-m-1 \(telescope\): its agent is not connected/,
    );
  });

  it("restore: Rancher at rest, then the export, once", () => {
    put("version", "v2.15.1");
    put("made", "printf '%s' '2026-11-24|Ready=True (Completed); ' >restore; printf v2.14.3 >version");
    const { status, stderr } = restored();
    assert.equal(status, 0, stderr);
    const { metadata, spec } = JSON.parse(readFileSync(join(folder, "created"), "utf8"));
    assert.equal(metadata.name, "rke2up-cr-1-to-2.14.3");
    assert.deepEqual(spec, { backupFilename: "file.tar.gz", prune: true });
    rmSync(join(folder, "created"));
    assert.equal(restored().status, 0);
    assert.ok(!existsSync(join(folder, "created")), "a rerun puts nothing back");
    assert.equal(readFileSync(join(folder, "asked"), "utf8").match(/--replicas=0/g)?.length, 1);
  });

  it("restore: one that has written the version and is not completed is waited for, Rancher at rest", () => {
    put("restore", "-|Reconciling=True (half way); ");
    const half = restored();
    assert.match(half.stderr, /has not restored file\.tar\.gz after 1 s: Reconciling=True \(half way\)/);
    assert.equal(readFileSync(join(folder, "replicas"), "utf8"), "0");
    assert.ok(!existsSync(join(folder, "created")));
    put("restore", "2026-11-24|Ready=True (Completed); ");
    assert.equal(restored().status, 0);
  });

  it("restore: one of another file, or with another encryption, is made anew", () => {
    put("version", "v2.15.1");
    put("made", "printf '%s' '2026-11-24|Ready=True (Completed); ' >restore; printf v2.14.3 >version");
    for (const asked of ["wrong.tar.gz ", "file.tar.gz secret"]) {
      put("version", "v2.15.1");
      put("restore", "-|Reconciling=True (no such file); ");
      put("restore.asked", asked);
      const { status, stderr } = restored();
      assert.equal(status, 0, stderr);
      const { spec } = JSON.parse(readFileSync(join(folder, "created"), "utf8"));
      assert.deepEqual(spec, { backupFilename: "file.tar.gz", prune: true });
      rmSync(join(folder, "created"));
    }
  });

  it("restore: what fails says how Rancher is scaled up again, a rerun as well", () => {
    put("version", "v2.15.1");
    put("made", "exit 1");
    const wayOut = /kubectl -n cattle-system scale deployment rancher --replicas=2;/;
    for (const _ of [1, 2]) assert.match(restored().stderr, wayOut);
    rmSync(join(folder, "state/rancher-replicas"));
    assert.match(restored().stderr, /--replicas=3;/);
  });

  it("restore: one of an earlier way back is made anew, one on its way waited for, one of other data refused", () => {
    put("version", "v2.15.1");
    put("restore", "2026-11-24|Ready=True (Completed); ");
    put("made", "printf '%s' '-|Reconciling=True (no such file); ' >restore");
    assert.match(
      restored().stderr,
      /has not restored file\.tar\.gz after 1 s: Reconciling=True \(no such file\)/,
    );
    rmSync(join(folder, "created"));
    put("restore", "-|Ready=Unknown (Retrying); ");
    assert.equal(restored().status, 1);
    assert.ok(!existsSync(join(folder, "created")));
    put("restore", "2026-11-24|Ready=True (Completed); ");
    put("made", "printf '%s' '2026-11-24|Ready=True (Completed); ' >restore; printf v2.13.0 >version");
    assert.match(restored().stderr, /version in it is v2\.13\.0, wanted v2\.14\.3/);
  });
});
