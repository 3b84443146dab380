/** Which Kubernetes a chart admits, read from its repository's index, its archive or its folder before helm judges it. */
import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { fetch } from "undici";
import { parse } from "yaml";
import { z } from "zod";
import type { Operator } from "../config";

/** An index of all of a repository's charts is some megabytes. */
const TIMEOUT_MS = 30_000;

const metadataSchema = z.object({ version: z.string(), kubeVersion: z.string().optional() });
const indexSchema = z.object({ entries: z.record(z.string(), z.array(metadataSchema)) });

/**
 * The chart's `kubeVersion`, empty where it admits any.
 * @throws where it cannot be read: a registry (`oci://`) and a helm repository of this machine need helm for that
 */
export async function lookAtKubeVersion(
  operator: Pick<Operator, "chart" | "repo" | "version">,
): Promise<string> {
  const { chart, repo } = operator;
  if (repo) return inIndex(await textOf(`${repo.replace(/\/$/, "")}/index.yaml`), operator);
  if (chart.startsWith("oci://")) throw new Error(`${chart} is in a registry: helm itself reads it`);
  const found = await stat(chart).catch(() => undefined);
  if (!found)
    throw new Error(`there is no ${chart} here, and of a helm repository only helm knows where it is`);
  const text = found.isDirectory()
    ? await readFile(join(chart, "Chart.yaml"), "utf8")
    : (
        await promisify(execFile)("tar", [
          "-xzOf",
          chart,
          "--wildcards",
          "--no-wildcards-match-slash",
          "*/Chart.yaml",
        ])
      ).stdout;
  return metadataSchema.parse(parse(text)).kubeVersion ?? "";
}

/** The kubeVersion of a chart's version in a repository's index. Pure. @throws where the index lacks that version */
export function inIndex(index: string, { chart, version }: Pick<Operator, "chart" | "version">): string {
  const bare = (text: string) => text.replace(/^v/, "");
  const versions = indexSchema.parse(parse(index)).entries[chart] ?? [];
  const found = versions.find((one) => bare(one.version) === bare(version));
  if (!found) throw new Error(`the repository has no ${chart} ${version}`);
  return found.kubeVersion ?? "";
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answers HTTP ${response.status}`);
  return text;
}
