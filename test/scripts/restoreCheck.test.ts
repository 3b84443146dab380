/** restore-check.sh in bash, in a clone that the test plays, on folders of the test's own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const scripts = join(__dirname, "../../scripts");

describe("scripts: the restore test's check", () => {
  let clone: string;
  const put = (name: string, text: string | Buffer = "x\n") => {
    mkdirSync(dirname(join(clone, name)), { recursive: true });
    writeFileSync(join(clone, name), text);
  };
  const read = (name: string) => readFileSync(join(clone, name), "utf8");
  beforeEach(() => {
    clone = mkdtempSync(join(tmpdir(), "clone-"));
    const sha256 = (data: Buffer) => hash("sha256", data, "buffer");
    const database = Buffer.from("what etcd held");
    const snapshot = Buffer.concat([database, sha256(database)]);
    put("snapshot", snapshot);
    put("state/restore-point-CR-1/point", `${clone}/snapshot\t${sha256(snapshot).toString("hex")}\t7\n`);
    put("state/restore-point-CR-1/keys", "L2E= 5\n");
    for (const name of ["server/token", "server/tls/etcd/server-ca.crt", "server/db/etcd/member/snap/db"])
      put(`data/${name}`);
    put("bin/rke2", `#!/bin/bash\necho "$*" >>${clone}/said\n`);
    chmodSync(join(clone, "bin/rke2"), 0o755);
  });
  afterEach(() => rmSync(clone, { recursive: true }));

  const check = () =>
    spawnSync("bash", ["-s", "--", "restore-check", "CR-1", "v1", "10.25.20.11", "5"], {
      input: `. ${scripts}/lib.sh
STATE=${clone}/state RKE2_DATA=${clone}/data CONFIG_FOLDER=${clone}/config
rke2_binary() { echo ${clone}/bin/rke2; }
version_on_disk() { echo v1; }
timeout() { shift; "$@"; }
systemctl() { case $1 in show) echo 0 ;; esac; }
ip() { echo "2: eth0 inet 10.25.20.11/24"; }
kube() { :; }
unit_environment() { :; }
free_service() { :; }
etcd_keys() { cat ${clone}/state/restore-point-CR-1/keys; }
${readFileSync(join(scripts, "restore-check.sh"), "utf8")}`,
      encoding: "utf8",
    });
  const RESET = "server --cluster-reset --cluster-reset-restore-path=";

  it("passes a server without any config of its own, as RKE2's quick start leaves the first", () => {
    const { status, stderr } = check();
    assert.deepEqual([status, stderr], [0, ""]);
    assert.equal(read("said"), `${RESET}${clone}/snapshot\n`);
    assert.equal(existsSync(join(clone, "config")), false);
  });

  it("takes whom to join out of every file that RKE2 reads, and sees what is set there", () => {
    put("config/config.yaml.d/10-join.yaml", "server: https://10.25.20.12:9345\ncni: canal\n");
    put("config/config.yaml.d/20-s3.yml", "server: https://10.25.20.13:9345\netcd-s3: true\n");
    const { status, stderr } = check();
    assert.deepEqual([status, stderr], [0, ""]);
    assert.equal(read("config/config.yaml.d/10-join.yaml"), "cni: canal\n");
    assert.equal(read("config/config.yaml.d/20-s3.yml"), "etcd-s3: true\n");
    assert.equal(read("said"), `${RESET}${clone}/snapshot --etcd-s3=false\n`);
  });

  it("refuses a clone without what is restored from", () => {
    rmSync(join(clone, "data/server/token"));
    const { status, stderr } = check();
    assert.equal(status, 1);
    assert.match(stderr, /server\/token is missing or empty in the VM snapshot\n {2}next: /);
  });
});
