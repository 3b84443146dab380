import assert from "node:assert/strict";
import { ConfigError, parseSettings, settingsWarnings } from "../../config";
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

  it("takes an archive and its checksum, and RKE2's newest benchmark", () => {
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
    const scan = { ...SCAN, acknowledged: [{ id: "4.1.5", reason: "mended by CR-2026-044" }] };
    const warned = settingsWarnings(parseSettings(lab({ scan }))).filter(({ path }) =>
      path.startsWith("scan"),
    );
    assert.deepEqual(warned, [
      { path: "scan.acknowledged[0]", text: "check 4.1.5 may fail newly: mended by CR-2026-044" },
    ]);
  });
});
