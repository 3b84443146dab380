/** How many objects of each kind a cluster holds, and which: what its data can be held against later. */
import { hash } from "node:crypto";
import { z } from "zod";
import type { ClusterNode } from "../config";
import { bareLook } from "./bareLook";
import { askFirst } from "./firstServer";

/** Every object is listed once, some twice: seconds on a small cluster. */
const TIMEOUT_MS = 60_000;

const sum = z.string().regex(/^[0-9a-f]{64}$/);

export const censusSchema = z.strictObject({
  /** RFC 3339: when it was asked, by our clock. */
  at: z.iso.datetime(),
  /** `Deployment.apps`; of the core group `ConfigMap`. Every kind that is served, empty ones too. */
  kinds: z.record(
    z.string(),
    z.strictObject({
      /** Objects that no other one owns: what is owned comes and goes. */
      count: z.number().int().nonnegative(),
      /** Over their UIDs, sorted: which objects they are. */
      uids: sum,
      /** Over what they hold, for kinds that seldom change; no value can be told from it. */
      content: sum.optional(),
    }),
  ),
});
export type Census = z.infer<typeof censusSchema>;

/** Counts on the first server that answers: read-only, bounded. @throws with every server's reason where none can say */
export async function lookAtCensus(servers: readonly ClusterNode[], privateKey: string): Promise<Census> {
  return askFirst(servers, async (server) => {
    const at = new Date();
    return parseCensus(await bareLook(server, privateKey, "look-census", [], TIMEOUT_MS), at);
  });
}

/** Reads what look-census.sh printed. Pure. */
export function parseCensus(stdout: string, at: Date): Census {
  const uids = new Map<string, string[]>();
  const content = new Map<string, string>();
  for (const line of stdout.split("\n").filter(Boolean)) {
    const [what, kind = "", version = "", value = ""] = line.split("\t");
    const name = version.includes("/") ? `${kind}.${version.split("/")[0]}` : kind;
    if (what === "content") content.set(name, value);
    else {
      const known = uids.get(name) ?? [];
      if (what === "object") known.push(value);
      uids.set(name, known);
    }
  }
  const kinds = [...uids]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, all]) => {
      const digest = hash("sha256", all.sort().join("\n"));
      return [name, { count: all.length, uids: digest, content: content.get(name) }] as const;
    });
  return { at: at.toISOString(), kinds: Object.fromEntries(kinds) };
}

/** A kind with its objects, then and now. */
export interface KindChange {
  readonly kind: string;
  readonly before: number;
  readonly now: number;
}

/** What has become of a census. */
export interface CensusChange {
  readonly since: string;
  /** Kinds that had objects. */
  readonly kinds: number;
  /** Of them, those with the very same objects, holding the same where that was kept. */
  readonly same: number;
  readonly differing: readonly KindChange[];
  /** Kinds that lost more than people or an upgrade take away. */
  readonly suspected: readonly KindChange[];
}

/**
 * A kind that had this many objects and has none; one that lost more than {@link SHARE} of them and at least
 * {@link MANY}. No source gives a number; these are ours, and on the careful side. An upgrade creates objects: what it
 * deletes is a component that a release drops, with one or two of a kind, or kinds that are served no more, which are not
 * compared. The largest thing that people delete at once is a namespace, seldom half of all there is of a kind.
 */
const WHOLE = 3;
const SHARE = 0.5;
const MANY = 10;

/** Holds a census against an earlier one. Pure. */
export function compareCensus(before: Census, now: Census): CensusChange {
  const had = Object.entries(before.kinds).filter(([, { count }]) => count > 0);
  const differing = had.flatMap(([kind, then]): KindChange[] => {
    const found = now.kinds[kind];
    const same = found?.uids === then.uids && found.content === then.content;
    return same ? [] : [{ kind, before: then.count, now: found?.count ?? 0 }];
  });
  // What the API no longer serves nobody can count; the change's own checks tell of such kinds.
  const suspected = differing.filter(({ kind, before, now: left }) => {
    const lost = before - left;
    const much = left === 0 ? before >= WHOLE : lost >= MANY && lost > before * SHARE;
    return kind in now.kinds && much;
  });
  return { since: before.at, kinds: had.length, same: had.length - differing.length, differing, suspected };
}

const figures = (changes: readonly KindChange[]): string =>
  changes.map(({ kind, before, now }) => `${kind} ${before} → ${now}`).join(", ");

/** So many kinds are told by name. */
const TOLD = 12;

/** In words, for the operator. */
export function describeCensus({ since, kinds, same, differing, suspected }: CensusChange): string {
  const told = figures(differing.slice(0, TOLD));
  const more = differing.length > TOLD ? `, and ${differing.length - TOLD} more` : "";
  if (suspected.length > 0)
    return `data corruption is suspected: objects are gone since ${since}: ${figures(suspected)}`;
  return `${same} of ${kinds} kinds of objects are as they were at ${since}${differing.length > 0 ? `; objects of the others then → now: ${told}${more}` : ""}`;
}
