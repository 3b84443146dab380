/** Release files without a network: fetch-artifacts.sh and lib-install.sh themselves in bash, from a folder. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const scripts = join(__dirname, "../../scripts");
const FROM = "v1.35.4+rke2r1";
const TO = "v1.36.3+rke2r1";
const IMAGES = "rke2-images.linux-amd64.tar.zst";
const LIST = "rke2-images.linux-amd64.txt";
/** As RKE2's list names what is new in a release. */
const canal = (version: string) => `docker.io/rancher/hardened-calico:${version.replace("+", "-")}`;

describe("scripts/fetch-artifacts.sh from a folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "artifacts-"));
    const given = `ls "$INSTALL_RKE2_ARTIFACT_PATH" >${folder}/given`;
    writeFile(
      "mirror/install.sh",
      `#!/bin/sh\n${given}\nprintf %s "$INSTALL_RKE2_VERSION" >${folder}/installed\n`,
    );
    for (const version of [FROM, TO]) {
      for (const name of ["rke2.linux-amd64.tar.gz", IMAGES])
        writeFile(`mirror/releases/${version}/${name}`, `${name} of ${version}`);
      writeFile(`mirror/releases/${version}/${LIST}`, `docker.io/rancher/pause:3.6\n${canal(version)}\n`);
      const sums = execFileSync("sha256sum", ["rke2.linux-amd64.tar.gz", IMAGES, LIST], {
        cwd: join(folder, "mirror/releases", version),
      });
      writeFile(`mirror/releases/${version}/sha256sum-amd64.txt`, sums);
    }
    has(canal(FROM), canal(TO));
    writeFile("data/bin/crictl", `#!/bin/sh\ncat ${folder}/images.json\n`);
    chmodSync(join(folder, "data/bin/crictl"), 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function writeFile(name: string, content: string | Buffer) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  /** What RKE2's containerd has, as crictl tells it. */
  const has = (...names: string[]) =>
    writeFile(
      "images.json",
      JSON.stringify({ images: [{ repoTags: ["docker.io/rancher/pause:3.6", ...names] }] }, null, 2),
    );
  /** No other address can be asked: every proxy is a port that nothing listens on. */
  const bash = (libraries: readonly string[], command: string) =>
    spawnSync("bash", ["-s", "fetch-artifacts"], {
      input: `${["lib", ...libraries].map((name) => `source ${scripts}/${name}.sh`).join("\n")}
trap - ERR
STATE=${folder}/state RKE2_DATA=${folder}/data
CLOCK=0
date() { echo "$CLOCK"; }
sleep() { CLOCK=$((CLOCK + $1)); }
uname() { echo x86_64; }
systemctl() { :; }
version_on_disk() { cat ${folder}/installed; }
${command}`,
      encoding: "utf8",
      env: { ...process.env, http_proxy: "http://127.0.0.1:1", https_proxy: "http://127.0.0.1:1" },
    });
  /** During is done with each wait, of which a second is a hundred. */
  const fetch = (images = "", during = ":", wanted = TO) =>
    bash(
      ["lib-fetch", "lib-images"],
      `sleep() { CLOCK=$((CLOCK + 100 * $1)); ${during}; }
set -- file://${folder}/mirror/install.sh file://${folder}/mirror/releases '' ${wanted} ${FROM} ${images}
source ${scripts}/fetch-artifacts.sh`,
    );
  const held = (version: string) => readdirSync(join(folder, "state/artifacts", version)).sort();

  it("takes what it always took, and images where they are asked for, once", () => {
    const plain = fetch();
    assert.equal(plain.status, 0, plain.stderr);
    assert.deepEqual(held(TO), ["install.sh", "rke2.linux-amd64.tar.gz", "sha256sum-amd64.txt"]);
    assert.match(fetch("tar.zst").stdout, /"fetched":2/);
    for (const version of [FROM, TO]) assert.ok([IMAGES, LIST].every((name) => held(version).includes(name)));
    assert.match(fetch("tar.zst").stdout, /"fetched":0/);
    assert.match(fetch().stdout, /"fetched":0/);
  });

  it("refuses images that are not the ones their sums name, and a release that has none", () => {
    writeFile(`mirror/releases/${TO}/${IMAGES}`, "others");
    assert.match(fetch("tar.zst").stderr, /rke2-images\.linux-amd64\.tar\.zst does not match its sha256/);
    assert.match(fetch("tar.gz").stderr, /cannot fetch file:.*rke2-images\.linux-amd64\.tar\.gz/);
    assert.equal(existsSync(join(folder, "state/artifacts", TO)), false);
  });

  it("has RKE2 import the wanted release's images before any turn, and leaves nothing for its next start", () => {
    const inImages = () => readdirSync(join(folder, "data/agent/images")).sort();
    writeFile(`data/agent/images/${IMAGES}`, "the site's own");
    assert.match(fetch("tar.zst").stdout, /"fetched":2/);
    assert.deepEqual(inImages(), [IMAGES], "nothing is offered where all are there");

    has(canal(FROM));
    const { status, stderr } = fetch("tar.zst");
    assert.notEqual(status, 0);
    assert.match(
      stderr,
      /has not imported the images of v1\.36\.3\+rke2r1 after 600 s: 1 of them are not there, as rancher\/hardened-calico:v1\.36\.3-rke2r1\n\s*next: here: journalctl/,
    );
    const [offered = "", ...others] = inImages().filter((name) => name !== IMAGES);
    // RKE2 tells by its end what it is, and takes a name that it knows for done.
    assert.match(offered, /^rke2-upgrade-\d+\.tar\.zst$/);
    assert.deepEqual(others, []);

    const all = JSON.stringify({ images: [{ repoTags: ["docker.io/rancher/pause:3.6", canal(TO)] }] });
    writeFile("all.json", all);
    const rerun = fetch(
      "tar.zst",
      `cat ${folder}/data/agent/images/rke2-upgrade-*.tar.zst >${folder}/imported
[ ! -e ${folder}/data/agent/images/${offered} ]; cp ${folder}/all.json ${folder}/images.json`,
    );
    assert.equal(rerun.status, 0, rerun.stderr);
    assert.equal(readFileSync(join(folder, "imported"), "utf8"), `${IMAGES} of ${TO}`);
    assert.deepEqual(inImages(), [IMAGES]);
    assert.equal(readFileSync(join(folder, "data/agent/images", IMAGES), "utf8"), "the site's own");
  });

  it("asks for no images to be imported without the key, nor in a round that brings no release", () => {
    has();
    for (const { status, stderr } of [fetch(), fetch("tar.zst", ":", FROM)]) assert.equal(status, 0, stderr);
    assert.equal(existsSync(join(folder, "data/agent/images")), false);
  });

  it("places each release's images where RKE2 imports them, also on the way back", () => {
    fetch("tar.zst");
    const placed = () => readFileSync(join(folder, "data/agent/images", IMAGES), "utf8");
    const given = () => readFileSync(join(folder, "given"), "utf8").trim().split("\n");
    writeFile("installed", "v1.34.1+rke2r1");
    const { status, stderr } = bash(["lib-install"], `install_release agent ${TO}`);
    assert.equal(status, 0, stderr);
    // install.sh would unpack them a second time, into /tmp.
    assert.deepEqual(given(), ["install.sh", "rke2.linux-amd64.tar.gz", "sha256sum-amd64.txt"]);
    assert.deepEqual(readdirSync(join(folder, "state/artifacts")).sort(), [FROM, TO].sort());

    for (const version of [TO, FROM, TO]) {
      // Installed already, as a rerun finds it.
      writeFile("installed", version);
      const { status, stderr } = bash(["lib-install"], `install_release agent ${version}`);
      assert.equal(status, 0, stderr);
      assert.equal(placed(), `${IMAGES} of ${version}`);
    }
    assert.deepEqual(readdirSync(join(folder, "data/agent/images")), [IMAGES]);
    writeFile(`state/artifacts/${FROM}/${IMAGES}`, "torn");
    assert.match(bash(["lib-install"], `install_release agent ${FROM}`).stderr, /is damaged/);
    assert.equal(placed(), `${IMAGES} of ${TO}`);
  });

  it("forgets how the node was left where it installs, and only there: that is no change by hand", () => {
    fetch();
    writeFile("installed", FROM);
    for (const [version, kept] of [
      [FROM, true],
      [TO, false],
    ] as const) {
      writeFile("state/left", "version v1");
      const { status, stderr } = bash(["lib-install"], `install_release agent ${version}`);
      assert.equal(status, 0, stderr);
      assert.equal(existsSync(join(folder, "state/left")), kept);
    }
  });

  it("goes by the proxy of RKE2's unit, and without it where that does not help", () => {
    const asked = (environment: string, good: string) =>
      bash(
        ["lib-fetch"],
        `unset http_proxy https_proxy
systemctl() { case "$*" in *"-p Environment rke2-agent"*) echo '${environment}' ;; esac; }
curl() { echo "\${https_proxy:-none} \${HTTPS_PROXY:-none} \${http_proxy:-none}" >>${folder}/asked; ${good}; }
fetch https://get.rke2.io ${folder}/install.sh
[ -z "\${HTTPS_PROXY:-}" ]`,
      );
    const by = () => {
      const lines = readFileSync(join(folder, "asked"), "utf8").trim().split("\n");
      rmSync(join(folder, "asked"));
      return lines;
    };
    const PROXIES = "HTTPS_PROXY=http://p:1 HTTP_PROXY=http://p:2 NO_PROXY=10.0.0.0/8";
    assert.equal(asked(PROXIES, "true").status, 0);
    assert.deepEqual(by(), ["none http://p:1 http://p:2"]);
    assert.equal(asked(PROXIES, "! env | grep -q ^HTTPS_PROXY=").status, 0);
    assert.deepEqual(by(), ["none http://p:1 http://p:2", "none none none"]);
    assert.equal(asked("RKE2_TOKEN_FILE=/x", "true").status, 0);
    assert.deepEqual(by(), ["none none none"]);
  });

  it("asks nothing of the network: what is elsewhere is not reached", () => {
    const { status, stderr } = bash(
      ["lib-fetch"],
      `until_ok() { shift; LAST=$("$@" 2>&1); }
set -- https://get.rke2.io file://${folder}/mirror/releases '' ${TO} ${FROM}
source ${scripts}/fetch-artifacts.sh`,
    );
    assert.notEqual(status, 0);
    assert.match(stderr, /cannot fetch https:\/\/get\.rke2\.io/);
  });
});
