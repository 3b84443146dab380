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
  return new Map(
    rows.map(([id = "", revision, status = "unknown", record = "", replaced = "0"]) => {
      const { chart } = recordSchema.parse(JSON.parse(gunzipSync(Buffer.from(record, "base64")).toString()));
      const { name, version } = chart.metadata;
      const facts = { revision: Number(revision), status, chart: name, version };
      return [id, replaced === "0" ? facts : { ...facts, replaced: Number(replaced) }];
    }),
  );
}
