/** What an approval stands on, as one digest, and what differs between two of them, in words. Pure. */
import type { Seen } from "../observe/seen";
import { canonical, digestOf } from "./canonical";
import type { PlanRecord } from "./planSchema";

type Digest = PlanRecord["digest"];

/** What goes into a digest. */
export interface DigestInputs {
  /** Pulumi's plan file. */
  readonly plan: string;
  readonly files: Record<string, string>;
  readonly configKeys: Record<string, string>;
  readonly nodes: Seen["nodes"];
  readonly scripts: PlanRecord["scripts"];
}

/** The digest over plan, program, config, the nodes' versions and the scripts. */
export function digest({ plan, files, configKeys, nodes, scripts }: DigestInputs): Digest {
  const parts = {
    plan: digestOf(plan),
    program: digestOf(canonical(files)),
    config: digestOf(canonical(configKeys)),
    cluster: digestOf(canonical(versionsOf(nodes))),
    scripts: scriptsDigest(scripts),
  };
  return { algorithm: "sha256", value: digestOf(canonical(parts)), parts, files, config: configKeys };
}

/** Whether a change request's digest is the one of what it holds: false after an edit. */
export const isWhole = ({ digest, scripts, nodes }: PlanRecord): boolean =>
  digest.value === digestOf(canonical(digest.parts)) &&
  digest.parts.program === digestOf(canonical(digest.files)) &&
  digest.parts.config === digestOf(canonical(digest.config)) &&
  digest.parts.scripts === scriptsDigest(scripts) &&
  digest.parts.cluster ===
    digestOf(canonical(versionsOf(Object.fromEntries(nodes.map((node) => [node.name, node.seen]))))) &&
  Object.values(scripts).every(({ sha256, text }) => sha256 === digestOf(text));

const scriptsDigest = (scripts: PlanRecord["scripts"]): string =>
  digestOf(
    canonical(Object.fromEntries(Object.entries(scripts).map(([name, { sha256 }]) => [name, sha256]))),
  );

/** The version that a node runs, by its own word; nothing else of it may move a plan. */
export const versionsOf = (nodes: Seen["nodes"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(nodes).map(([name, seen]) => [
      name,
      "notMeasured" in seen ? "not measured" : `${seen.versionOnDisk} ${seen.versionRunning}`,
    ]),
  );

/** What differs between two maps of digests, a line each: changed, added, gone. */
export function differences(
  what: string,
  before: Record<string, string>,
  now: Record<string, string>,
): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.flatMap((name) => {
    if (before[name] === now[name]) return [];
    const how = before[name] === undefined ? "added" : now[name] === undefined ? "gone" : "changed";
    return [`${what} ${name}: ${how} since the plan`];
  });
}
