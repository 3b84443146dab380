import assert from "node:assert/strict";
import { olderBenchmark } from "../../config/benchmarks";

describe("config/benchmarks", () => {
  it("finds nothing older where the benchmark is of the wanted Kubernetes, a later one or not known", () => {
    for (const [benchmark, wanted] of [
      ["rke2-cis-1.7", "v1.25.9+rke2r1"],
      ["rke2-cis-1.8", "v1.25.9+rke2r1"],
      ["rke2-cis-1.23", "v1.23.1+rke2r1"],
      ["rke2-cis-1.9", "v1.40.0+rke2r1"],
      ["rke2-cis-1.12", "v1.33.0+rke2r1"],
      ["rke2-cis-1.7", "latest"],
    ] as const)
      assert.equal(olderBenchmark(benchmark, wanted), undefined, `${benchmark} ${wanted}`);
  });

  it("names the newest that is not of a later Kubernetes than the wanted one", () => {
    assert.match(
      olderBenchmark("rke2-cis-1.7", "v1.26.4+rke2r1") ?? "",
      /known for RKE2 is rke2-cis-1\.8, of 1\.26/,
    );
    assert.match(olderBenchmark("rke2-cis-1.24", "v1.36.3+rke2r1") ?? "", /rke2-cis-1\.9, of 1\.27/);
  });
});
