import { gunzipSync } from "node:zlib";
import { z } from "zod";
import type { Operator, Settings } from "../config";
import { bareLook } from "./bareLook";
import { askFirst } from "./firstServer";

/** A release's record holds its whole chart: some hundred kilobytes each. */
const TIMEOUT_MS = 20_000;

/** A Helm release as its last revision has it. */
export interface ReleaseFacts {
  readonly revision: number;
  /** helm's: `deployed`, `failed`, `pending-upgrade`, … */
  readonly status: string;
  /** The chart's name and version. */
  readonly chart: string;
  readonly version: string;
  /** The last revision that was deployed and was replaced by another; undefined where there is none. */
  readonly replaced?: number;
  /** The revision that still is deployed where the last one has failed; undefined where there is none. */
  readonly deployed?: { readonly revision: number; readonly version: string };
  /** `namespace/name` of the HelmChart that RKE2's helm-controller installs it from; undefined where it does not. */
  readonly helmChart?: string;
}

/** By `namespace/name`; what is not there is not in it. */
export type Releases = ReadonlyMap<string, ReleaseFacts>;

/** Where a release is. */
export const releaseId = ({ namespace, name }: Pick<Operator, "namespace" | "name">): string =>
  `${namespace}/${name}`;

/** Looks at the operators' releases from the first server that answers. @throws with every server's reason where none does */
export async function lookAtReleases(
  { servers, operators }: Pick<Settings, "servers" | "operators">,
  privateKey: string,
): Promise<Releases> {
  if (operators.length === 0) return new Map();
  return askFirst(servers, async (server) =>
    parseReleases(await bareLook(server, privateKey, "look-releases", operators.map(releaseId), TIMEOUT_MS)),
  );
}

/** helm's own record, as far as it is read: its values and manifests may hold secrets and go no further than this. */
const recordSchema = z.object({
  chart: z.object({ metadata: z.object({ name: z.string(), version: z.string() }) }),
});

/** Reads what look-releases.sh printed. Pure. */
export function parseReleases(stdout: string): Releases {
  const rows = stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("\t"));
  const isChart = ([kind]: readonly string[]) => kind === "helmchart";
  const charts = new Map(rows.filter(isChart).map(([, release, chart]) => [release, chart]));
  const revisions = rows.filter((row) => !isChart(row));
  return new Map(
    revisions.map(([id = "", revision, status = "unknown", record = "", replaced = "0", ...deployed]) => {
      const { name, version } = chartIn(record);
      const [still, its = ""] = deployed;
      const facts = {
        ...{ revision: Number(revision), status, chart: name, version },
        ...(replaced !== "0" && { replaced: Number(replaced) }),
        ...(still !== undefined && { deployed: { revision: Number(still), version: chartIn(its).version } }),
        ...(charts.has(id) && { helmChart: charts.get(id) }),
      };
      return [id, facts];
    }),
  );
}

const chartIn = (record: string) =>
  recordSchema.parse(JSON.parse(gunzipSync(Buffer.from(record, "base64")).toString())).chart.metadata;
