import { isChanging, type Settings, wavesOf } from "../../config";
import type { VmPlace } from "../../proxmox/vms";
import { type Facts, inTurn, isUpgraded, nameOf } from "../facts";
import { type Finding, must, should } from "../finding";
import type { Question } from "../unmeasured";

const QUESTION: Question = {
  check: "proxmox: a wave's agents on different hosts",
  wanted: "each on its own",
};

/** The names that go together where no two may share a host, of all waves or of that one whose turn it is judged for. */
const wavesApart = (settings: Settings, turn: string | undefined): string[][] =>
  settings.waves.shareHost || !isChanging(settings)
    ? []
    : wavesOf(settings)
        .map(({ nodes }) => nodes.map(({ name }) => name))
        .filter((wave) => wave.length > 1 && (turn === undefined || wave.includes(turn)));

/** What is asked of Proxmox VE about waves: nothing where none of several agents has to be kept apart. */
export const fellowQuestions = (settings: Settings, turn?: string): Question[] =>
  wavesApart(settings, turn).length > 0 ? [QUESTION] : [];

/**
 * Whether agents that go together are on different Proxmox hosts now: waves follow `nodes[].proxmoxNode`, and a VM may have
 * moved since. Pure. Who is upgraded goes down no more.
 * @param turn whose turn it is judged for; undefined before a run
 */
export function judgeFellows(
  settings: Settings,
  { hosts, cluster }: Pick<Facts, "hosts" | "cluster">,
  turn?: string,
): Finding[] {
  const waves = wavesApart(settings, turn);
  const places = "value" in hosts ? hosts.value.places : undefined;
  // Where nobody could say, the question stands among those that were not measured.
  if (waves.length === 0 || !places) return [];
  const nodes = "value" in cluster ? cluster.value.nodes : [];
  const upgraded = new Set(nodes.filter((node) => isUpgraded(settings, node)).map(nameOf));
  const shared = waves
    .flatMap((wave) =>
      byHost(
        settings,
        places,
        wave.filter((name) => !upgraded.has(name)),
      ),
    )
    .filter(({ names }) => names.length > 1 && (turn === undefined || names.includes(turn)));
  // One that is in its turn is mended by going on; who would join it is held by its own gate.
  const isEased = ({ names }: Shared) =>
    (turn === undefined ? names : [turn]).some((name) => inTurn(settings, cluster, name));
  const judge = shared.every(isEased) ? should : must;
  const found = shared.map(({ host, names }) => `${names.join(", ")} on ${host}`).join("; ");
  return [
    {
      ...QUESTION,
      found: found || "no two that go together share one",
      ...judge(
        shared.length === 0,
        `qm migrate one of ${shared[0]?.names.join(", ")} to another host, or set nodes[].proxmoxNode to where they are: then they go one after another. Both at once: agents.shareHost`,
      ),
    },
  ];
}

/** A host, and those of a wave that are on it. */
interface Shared {
  readonly host: string;
  readonly names: readonly string[];
}

/** Whose VM is not listed has a finding of its own. */
function byHost({ nodes }: Settings, places: readonly VmPlace[], wave: readonly string[]): Shared[] {
  const hostOf = (name: string) => {
    const vmId = nodes.find((node) => node.name === name)?.vmId;
    return places.find((place) => place.vmId === vmId)?.host;
  };
  const hosts = [...new Set(wave.flatMap((name) => hostOf(name) ?? []))];
  return hosts.map((host) => ({ host, names: wave.filter((name) => hostOf(name) === host) }));
}
