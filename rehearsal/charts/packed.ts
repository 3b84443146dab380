/** The rehearsal's charts in any version, as archives and as a repository. */
import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";

/** The charts there are. */
export type Chart = "cert-manager" | "gpu-operator" | "rancher";

/**
 * Packs a chart, its own and its application's version replaced.
 * @param kubeVersion the Kubernetes versions that it admits, where they are others than its own
 * @returns the archive, `<folder>/<chart>-<version>.tgz`
 */
export function packChart(chart: Chart, version: string, folder: string, kubeVersion?: string): string {
  const work = mkdtempSync(join(tmpdir(), "chart-"));
  try {
    cpSync(join(__dirname, chart), join(work, chart), { recursive: true });
    const file = join(work, chart, "Chart.yaml");
    writeFileSync(
      file,
      stringify({ ...metadataOf(file), version, appVersion: version, ...(kubeVersion && { kubeVersion }) }),
    );
    const archive = join(folder, `${chart}-${version}.tgz`);
    execFileSync("tar", ["-czf", archive, "-C", work, chart]);
    return archive;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Packs a chart in these versions and writes the folder's index.yaml, which makes it a repository for whoever serves it. */
export function packRepository(chart: Chart, versions: readonly string[], folder: string): void {
  const metadata = metadataOf(join(__dirname, chart, "Chart.yaml"));
  const entries = versions.map((version) => ({
    ...metadata,
    version,
    appVersion: version,
    urls: [`${chart}-${version}.tgz`],
    digest: hash("sha256", readFileSync(packChart(chart, version, folder))),
  }));
  writeFileSync(join(folder, "index.yaml"), stringify({ apiVersion: "v1", entries: { [chart]: entries } }));
}

const metadataOf = (file: string): Record<string, unknown> => parse(readFileSync(file, "utf8"));
