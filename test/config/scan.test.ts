import assert from "node:assert/strict";
import { ConfigError, parseSettings, scannerOf, settingsWarnings } from "../../config";
import { lab } from "./lab";

const SCAN = { url: "https://mirror.example.org/kube-bench.tar.gz", sha256: "ab".repeat(32) };

function paths(scan: unknown): string[] {
  try {
    parseSettings(lab({ scan }));
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.mistakes.map(({ path }) => path);
  }
}

describe("config/scan", () => {
  it("is off where nothing is said", () => {
    assert.equal(parseSettings(lab()).scan, undefined);
    assert.equal(parseSettings(lab({ scan: {} })).scan, undefined);
  });

  it("takes an archive and its checksum, and a benchmark for RKE2", () => {
    const { scan } = parseSettings(lab({ scan: SCAN }));
    assert.deepEqual(scan, { ...SCAN, benchmark: "rke2-cis-1.7", timeoutSeconds: 600, acknowledged: [] });
  });

  it("refuses every mistake at once, each by its key", () => {
    assert.deepEqual(
      paths({ url: "kube-bench", benchmark: "../cfg", acknowledged: [{ id: "x", reason: "" }] }).sort(),
      ["scan.acknowledged[0].id", "scan.acknowledged[0].reason", "scan.benchmark", "scan.sha256", "scan.url"],
    );
    assert.deepEqual(paths({ ...SCAN, acknowledged: [{ id: "4.1.5" }] }), ["scan.acknowledged[0].reason"]);
  });

  it("takes an image by its whole name and digest in the archive's place, and not beside it", () => {
    const digest = "cd".repeat(32);
    const image = `registry.example.org:5000/mirror/kube-bench@sha256:${digest}`;
    const { scan } = parseSettings(lab({ scan: { image } }));
    assert.ok(scan);
    assert.deepEqual(scannerOf(scan), { source: image, sha256: digest });
    assert.deepEqual(scannerOf(SCAN), { source: SCAN.url, sha256: SCAN.sha256 });
    assert.deepEqual(paths({ image: `docker.io/aquasec/kube-bench@sha256:${digest}` }), []);
    for (const other of [
      "docker.io/aquasec/kube-bench:v0.10.6",
      `docker.io/aquasec/kube-bench:v0.10.6@sha256:${digest}`,
      `aquasec/kube-bench@sha256:${digest}`,
      `https://docker.io/aquasec/kube-bench@sha256:${digest}`,
    ])
      assert.deepEqual(paths({ image: other }), ["scan.image"], other);
    assert.deepEqual(paths({ ...SCAN, image }).sort(), ["scan.sha256", "scan.url"]);
    assert.deepEqual(paths({ benchmark: "rke2-cis-1.8" }).sort(), ["scan.sha256", "scan.url"]);
  });

  it("takes a folder that every node has, for the archive and for releases, and no relative or foreign one", () => {
    const install = {
      scriptUrl: "file:///mnt/rke2/install.sh",
      artifactUrl: "file:///mnt/rke2/releases",
      images: "tar.zst",
    };
    assert.deepEqual(parseSettings(lab({ install })).install, install);
    assert.deepEqual(paths({ ...SCAN, url: "file:///mnt/kube-bench.tar.gz" }), []);
    for (const url of ["file://server/kube-bench.tar.gz", "file:kube-bench.tar.gz", "file:///"])
      assert.deepEqual(paths({ ...SCAN, url }), ["scan.url"]);
  });

  it("tells in preview what may fail newly, and why", () => {
    const scan = {
      ...SCAN,
      benchmark: "cis-1.11",
      acknowledged: [{ id: "4.1.5", reason: "mended by CR-2026-044" }],
    };
    const warned = settingsWarnings(parseSettings(lab({ scan }))).filter(({ path }) =>
      path.startsWith("scan"),
    );
    assert.deepEqual(warned, [
      { path: "scan.acknowledged[0]", text: "check 4.1.5 may fail newly: mended by CR-2026-044" },
    ]);
  });

  it("names the newest benchmark for RKE2 that is known where an older one is asked for", () => {
    const told = (benchmark: string) =>
      settingsWarnings(parseSettings(lab({ scan: { ...SCAN, benchmark } })))
        .filter(({ path }) => path === "scan.benchmark")
        .map(({ text }) => text);
    assert.match(
      told("rke2-cis-1.7").join(),
      /^rke2-cis-1\.7 is of Kubernetes 1\.25, and v1\.3\d\S* is wanted: .*rke2-cis-1\.9, of 1\.27/,
    );
    for (const benchmark of ["rke2-cis-1.9", "rke2-cis-1.12", "own"]) assert.deepEqual(told(benchmark), []);
  });
});
