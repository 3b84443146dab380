import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inIndex, lookAtKubeVersion } from "../../observe/chart";
import { packChart } from "../../rehearsal/charts/packed";

const INDEX = `apiVersion: v1
entries:
  rancher:
    - { version: 2.15.1, kubeVersion: < 1.37.0-0 }
    - { version: 2.14.3, kubeVersion: < 1.36.0-0 }
  cert-manager:
    - { version: v1.21.2 }
`;

describe("observe/chart", () => {
  it("finds a version's kubeVersion in an index, with and without a v; any where there is none", () => {
    assert.equal(inIndex(INDEX, { chart: "rancher", version: "2.14.3" }), "< 1.36.0-0");
    assert.equal(inIndex(INDEX, { chart: "cert-manager", version: "1.21.2" }), "");
    assert.throws(() => inIndex(INDEX, { chart: "rancher", version: "2.16.0" }), /has no rancher 2\.16\.0/);
  });

  it("reads an archive, a folder and a repository, and says what helm alone can", async () => {
    const folder = mkdtempSync(join(tmpdir(), "chart-test-"));
    const server = createServer((request, response) => {
      response.statusCode = request.url === "/charts/index.yaml" ? 200 : 404;
      response.end(INDEX);
    });
    try {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const version = "2.14.3";
      const chart = packChart("rancher", version, folder, "< 1.36.0-0");
      assert.equal(await lookAtKubeVersion({ chart, version }), "< 1.36.0-0");
      const own = join(__dirname, "../../rehearsal/charts/rancher");
      assert.equal(await lookAtKubeVersion({ chart: own, version }), "< 1.37.0-0");
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const there = { chart: "rancher", version };
      assert.equal(await lookAtKubeVersion({ ...there, repo: `${origin}/charts/` }), "< 1.36.0-0");
      await assert.rejects(lookAtKubeVersion({ ...there, repo: origin }), /HTTP 404/);
      await assert.rejects(lookAtKubeVersion({ chart: "oci://example.org/rancher", version }), /registry/);
      await assert.rejects(lookAtKubeVersion({ chart: "stable/rancher", version }), /only helm knows/);
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
  });
});
