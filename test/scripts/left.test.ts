/** How a node was left and what was changed since: lib-left.sh itself in bash, on folders of the test's own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const scripts = join(__dirname, "../../scripts");

describe("scripts/lib-left.sh and lib-layout.sh", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "left-"));
    mkdirSync(join(folder, "rke2/config.yaml.d"), { recursive: true });
    put("config.yaml", "token: secret\n");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const put = (name: string, text: string) => writeFileSync(join(folder, "rke2", name), text);
  const bash = (command: string) =>
    execFileSync("bash", ["-s", "look-node"], {
      input: `source ${scripts}/lib.sh
STATE=${folder}
source ${scripts}/lib-left.sh
source ${scripts}/lib-layout.sh
CONFIG_FOLDER=${folder}/rke2
version_on_disk() { echo v1; }
${command}`,
      encoding: "utf8",
    });
  const changes = () => bash("left_changes").trim().split("\n").filter(Boolean);

  it("says nothing of a node that was never left", () => {
    assert.deepEqual(changes(), []);
    assert.equal(bash("left_value version"), "");
  });

  it("names each file that is changed, new or gone, and nothing else", () => {
    put("registries.yaml", "configs: {}\n");
    put("config.yaml.d/10-a.yaml", "a: 1\n");
    bash("left_record");
    assert.deepEqual(changes(), []);
    put("config.yaml", "token: other\n");
    put("config.yaml.d/50-b.yaml", "b: 1\n");
    put("config.yaml.d/zzz-rke2-upgrade-join.yaml", "server: ours\n");
    put("config.yaml.fault", "nobody reads this\n");
    rmSync(join(folder, "rke2/registries.yaml"));
    const found = changes();
    assert.equal(found.length, 3);
    assert.match(found[0] ?? "", /^config\.yaml [0-9a-f]{8}$/);
    assert.match(found[1] ?? "", /^config\.yaml\.d\/50-b\.yaml [0-9a-f]{8}$/);
    assert.equal(found[2], "registries.yaml gone");
    bash("left_record");
    assert.deepEqual(changes(), []);
    // Asked for before 1.36, and compared by a check of its own.
    put("config.yaml", "token: other\ningress-controller: none\n");
    assert.deepEqual(changes(), []);
  });

  it("names what makes it another kind of cluster, of an endpoint not what it says, and nothing of RKE2's defaults", () => {
    const layout = () => bash("unknown_layout").trim().split("\n").filter(Boolean);
    assert.deepEqual(layout(), []);
    put(
      "config.yaml",
      'data-dir: /var/lib/rancher/rke2/\ndisable: rke2-ingress-nginx\ndisable-etcd: false\ndisable-scheduler: "false" # not yet\ndatastore-endpoint: ""\ndisable-apiserver:\n#disable-etcd: true\nkubelet-arg:\n  - data-dir: /x\n',
    );
    assert.deepEqual(layout(), []);
    put("config.yaml.d/10-a.yaml", "data-dir: '/data/rke2/' # the big disk\ndisable-etcd: true\n");
    put(
      "config.yaml.d/20-b.yml",
      '"datastore-endpoint": postgres://user:password@db\ndisable-controller-manager: true\n',
    );
    assert.deepEqual(layout(), [
      "data-dir: /data/rke2",
      "datastore-endpoint",
      "disable-controller-manager",
      "disable-etcd",
    ]);
    put("config.yaml.d/30-c.yaml", "data-dir: /var/lib/rancher/rke2\ndisable-etcd: false\n");
    assert.deepEqual(layout(), ["datastore-endpoint", "disable-controller-manager"]);
    // By name, whatever the extension.
    put("config.yaml.d/40-d.yml", "disable-etcd: false\n");
    put("config.yaml.d/50-e.yaml", "disable-etcd: true\n");
    assert.ok(layout().includes("disable-etcd"));
  });

  it("names a mount that etcd's folder could not be moved from, and no other", () => {
    const db = join(folder, "db");
    put(
      "mounts",
      [`${db}`, `${db}/etcd`, `${db}/etcd/member/wal`, `${db}/snapshots`, `${db}/etcd-old`]
        .map((at) => `/dev/sdb ${at} ext4 rw 0 0\n`)
        .join(""),
    );
    const found = bash(
      `RKE2_DATA=${folder} MOUNTS=${folder}/rke2/mounts; mkdir -p ${folder}/disk ${folder}/server; ln -sn ${db} ${folder}/server/db; etcd_mounts`,
    );
    assert.deepEqual(found.trim().split("\n"), [`${db}/etcd`, `${db}/etcd/member/wal`]);
  });

  it("keeps a record for root alone, whose fingerprints nobody can guess a password from", () => {
    bash("left_record");
    const file = join(folder, "left");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const first = readFileSync(file, "utf8");
    bash("left_record");
    const salt = /^salt ([0-9a-f]{32})$/m;
    const print = /^file ([0-9a-f]{64}) config\.yaml$/m;
    const second = readFileSync(file, "utf8");
    assert.notEqual(salt.exec(first)?.[1], salt.exec(second)?.[1]);
    assert.notEqual(print.exec(first)?.[1], print.exec(second)?.[1]);
  });
});
