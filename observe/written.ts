import type { ClusterNode } from "../config";
import { bareLook } from "./bareLook";
import { askFirst } from "./firstServer";

/** Every kind of object is read once: some seconds on a small cluster. */
const TIMEOUT_MS = 30_000;

/** What was written to a cluster after a moment, by kind and name. */
export interface Written {
  /** `ConfigMap research/galaxies`. */
  readonly created: readonly string[];
  /** Objects of before that were changed after; their status, and what was deleted, leaves no trace. */
  readonly changed: readonly string[];
}

/**
 * The objects that an etcd snapshot does not hold, or holds as they were: asked on the first server that answers.
 * @param since when the snapshot was taken; Kubernetes writes whole seconds, one that fits counts as after
 * @throws with every server's reason where none can say
 */
export async function lookAtWritten(
  servers: readonly ClusterNode[],
  privateKey: string,
  since: Date,
): Promise<Written> {
  return askFirst(servers, async (server) =>
    parseWritten(await bareLook(server, privateKey, "look-written", [], TIMEOUT_MS), since),
  );
}

/** Reads what look-written.sh printed. Pure. */
export function parseWritten(stdout: string, since: Date): Written {
  const from = Math.floor(since.getTime() / 1000) * 1000;
  const after = (time = "") => new Date(time).getTime() >= from;
  const rows = stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("\t"))
    .map(([kind, name, created, ...writes]) => ({
      object: `${kind} ${name}`,
      isNew: after(created),
      isChanged: writes.some(after),
    }));
  return {
    created: rows.filter(({ isNew }) => isNew).map(({ object }) => object),
    changed: rows.filter(({ isNew, isChanged }) => !isNew && isChanged).map(({ object }) => object),
  };
}
