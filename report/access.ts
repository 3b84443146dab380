/** Log-ins, requests and tasks of a change's time, added to what was collected before. Pure. */
import type { NodeAccess } from "../observe/access";
import { mergeLogins, type Span } from "../observe/logins";
import type { Look } from "../observe/look";
import { mergeRequests } from "../observe/requests";
import type { AccessTask } from "../observe/tasks";
import type { Access } from "./accessSchema";
import { allRuns } from "./allRuns";
import type { Evidence } from "./evidenceSchema";

/** What a new look gave, each place from where the last one ended. */
export interface Collected {
  readonly nodes: ReadonlyMap<string, Look<NodeAccess>>;
  readonly hosts: ReadonlyMap<string, Look<readonly AccessTask[]>>;
  readonly ownUser: string;
  /** The VM of each node. */
  readonly vmIds: ReadonlyMap<string, number>;
}

/**
 * The change's own time: from its first run's beginning to its last one's end, whole seconds; what people did between two
 * runs is in it. Undefined where nothing was run.
 */
export function spanOf(evidence: Evidence, now: Date): Span | undefined {
  const runs = allRuns(evidence);
  const first = runs[0]?.startedAt;
  if (!first) return undefined;
  const ended = Date.parse(runs.at(-1)?.endedAt ?? "");
  const second = (ms: number, round: (seconds: number) => number) => round(ms / 1000) * 1000;
  // A run that goes on has no end yet, and one that was killed never had one.
  const until = Number.isNaN(ended) ? second(now.getTime(), Math.floor) : second(ended, Math.ceil);
  return { from: second(Date.parse(first), Math.floor), until };
}

/** What is still to be asked of a node: from where the last look ended, or nothing. */
export function restOf(access: Access | undefined, name: string, { from, until }: Span): Span | undefined {
  const done = access?.nodes.find((node) => node.name === name)?.until;
  const rest = { from: done ? Math.max(from, Date.parse(done)) : from, until };
  return rest.from < rest.until ? rest : undefined;
}

/**
 * Everything that is known now. What was collected stays, whatever can be told today: a journal is rotated, and goes back
 * with its machine.
 */
export function joinAccess(
  before: Access | undefined,
  changeId: string,
  span: Span,
  { nodes, hosts, ownUser, vmIds }: Collected,
): Access {
  const [from, until] = [new Date(span.from).toISOString(), new Date(span.until).toISOString()];
  const known = <T extends { readonly name: string }>(all: readonly T[] | undefined, name: string) =>
    all?.find((one) => one.name === name);
  const names = (all: readonly { readonly name: string }[] = [], now: ReadonlyMap<string, unknown>) =>
    [...new Set([...all.map(({ name }) => name), ...now.keys()])].sort();
  return {
    kind: "access",
    version: 1,
    changeId,
    from,
    until,
    nodes: names(before?.nodes, nodes).map((name) => {
      const vmId = vmIds.get(name) ?? 0;
      const { logins = [], notes = [], ...old } = known(before?.nodes, name) ?? { name, vmId };
      const now = nodes.get(name);
      if (!now) return { ...old, notes, logins };
      if ("missing" in now) return { ...old, notMeasured: now.missing, notes, logins };
      return {
        ...{ name, until, vmId: old.vmId },
        notes: [...new Set([...notes, ...now.value.notes])],
        logins: mergeLogins([...logins, ...now.value.logins]),
      };
    }),
    servers: serversOf(before, nodes, until),
    // One that was never measured was perhaps none: it stood for all of them.
    hosts: names(
      before?.hosts.filter((host) => host.until),
      hosts,
    ).map((name) => {
      const { tasks = [], ...old } = known(before?.hosts, name) ?? { name };
      const now = hosts.get(name);
      if (!now) return { ...old, tasks };
      if ("missing" in now) return { ...old, notMeasured: now.missing, tasks };
      const told = new Set(now.value.map(({ upid }) => upid));
      const all = [...tasks.filter(({ upid }) => !told.has(upid)), ...now.value];
      return { name, until, tasks: all.sort((a, b) => (key(a) < key(b) ? -1 : 1)) };
    }),
    ownUser,
  };
}

const key = ({ startedAt, upid }: AccessTask): string => `${startedAt} ${upid}`;

/** Audit logs come with their node's journal. Where one could not be told for a part of the time, that stays said. */
function serversOf(before: Access | undefined, nodes: Collected["nodes"], until: string): Access["servers"] {
  const servers = new Map(before?.servers.map((server) => [server.name, server]));
  for (const [name, now] of nodes) {
    const audit = "value" in now ? now.value.requests : undefined;
    if (!audit) continue;
    const { requests, ...old } = servers.get(name) ?? { name, notes: [], requests: [] };
    servers.set(
      name,
      "missing" in audit
        ? { ...old, notes: [...new Set([...old.notes, audit.missing])], requests }
        : { ...old, until, requests: mergeRequests([...requests, ...audit.value]) },
    );
  }
  return [...servers.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
