/** Which agents go together, and in which order: a function of the config alone. Pure. */
import type { ClusterNode, Settings } from "./settings";

/** Agents whose turns run side by side; the next wave begins when all of this one are done. */
export interface Wave {
  /** From 1 on, in the order in which they go. */
  readonly number: number;
  /** In the config's order. */
  readonly nodes: readonly ClusterNode[];
  /** The change is tried on these first. */
  readonly canary: boolean;
  /** Seconds for which the cluster is watched after it, with nobody in turn; zero: not at all. */
  readonly soakSeconds: number;
}

type Waved = Pick<Settings, "agents" | "waves">;

/** How many agents may be unavailable at once: at least one, a percentage rounded down. */
export function maxUnavailable({ agents, waves }: Waved): number {
  const { maxUnavailable: asked } = waves;
  if (typeof asked === "number") return asked;
  return Math.max(1, Math.floor((agents.length * Number.parseInt(asked, 10)) / 100));
}

/** How many agents go first, alone: unless told otherwise one, where several may go at once. */
const canaries = (settings: Waved): number => settings.waves.canary ?? (maxUnavailable(settings) > 1 ? 1 : 0);

/** One at a time in the config's order, as the procedure has it (§3.3.2): nothing of waves is asked for. */
export const isSerial = (settings: Waved): boolean =>
  maxUnavailable(settings) === 1 && canaries(settings) === 0;

/**
 * The waves, in order: canaries, agents, agents with a GPU. A GPU goes last, and is a canary only where every agent has
 * one; several GPU agents go together as others do. Each agent goes into the earliest wave that has room and none of its
 * Proxmox host.
 */
export function wavesOf(settings: Waved): Wave[] {
  const { agents, waves } = settings;
  if (isSerial(settings)) return agents.map((node, i) => wave([node], i + 1));
  const plain = agents.filter(({ gpu }) => !gpu);
  const tried = (plain.length > 0 ? plain : agents).slice(0, canaries(settings));
  const others = agents.filter((node) => !tried.includes(node));
  const first = packed(settings, tried);
  const rest = [false, true].flatMap((gpu) =>
    packed(
      settings,
      others.filter((node) => node.gpu === gpu),
    ),
  );
  return [...first, ...rest].map((nodes, i) => ({
    ...wave(nodes, i + 1),
    canary: i < first.length,
    soakSeconds: i === first.length - 1 ? waves.canarySoakSeconds : 0,
  }));
}

/** The wave that an agent goes in; undefined for a server. */
export const waveOf = (settings: Waved, name: string): Wave | undefined =>
  wavesOf(settings).find(({ nodes }) => nodes.some((node) => node.name === name));

/** The agents that an agent goes together with. */
export const fellowsOf = (settings: Waved, name: string): ClusterNode[] =>
  (waveOf(settings, name)?.nodes ?? []).filter((node) => node.name !== name);

const wave = (nodes: readonly ClusterNode[], number: number): Wave => ({
  number,
  nodes,
  canary: false,
  soakSeconds: 0,
});

function packed(settings: Waved, nodes: readonly ClusterNode[]): ClusterNode[][] {
  const width = maxUnavailable(settings);
  const apart = ({ proxmoxNode }: ClusterNode, fellows: readonly ClusterNode[]) =>
    settings.waves.shareHost || !fellows.some((fellow) => fellow.proxmoxNode === proxmoxNode);
  const groups: ClusterNode[][] = [];
  for (const node of nodes) {
    const room = groups.find((group) => group.length < width && apart(node, group));
    if (room) room.push(node);
    else groups.push([node]);
  }
  return groups;
}
