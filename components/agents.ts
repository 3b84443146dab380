import * as pulumi from "@pulumi/pulumi";
import { type Wave, wavesOf } from "../config";
import { AgentNode, GpuAgentNode } from "./nodeTurn";
import { type Link, type Run, step } from "./step";
import { canarySoak } from "./turns";
import { WaveEnd } from "./waveEnd";
import { WaveAgentNode } from "./waveTurn";

type Turn = AgentNode | GpuAgentNode | WaveAgentNode;

/**
 * The agents' turns, wave by wave. One that goes alone is a chain of Commands, as the servers are; where all do, which is
 * the default, there is nothing of waves in the graph.
 */
export function layOutAgents(run: Run, after: pulumi.Resource): { turns: Map<string, Turn> } & Link {
  const turns = new Map<string, Turn>();
  let tail = after;
  for (const wave of wavesOf(run.settings)) {
    const made = turnsOf(run, wave, tail);
    for (const [i, node] of wave.nodes.entries()) turns.set(node.name, made[i] as Turn);
    tail = endOf(run, wave, made);
  }
  return { turns, tail };
}

function turnsOf(run: Run, { nodes }: Wave, after: pulumi.Resource): Turn[] {
  if (nodes.length === 1)
    return nodes.map((node) => new (node.gpu ? GpuAgentNode : AgentNode)({ run, node, after }));
  return nodes.map(
    (node) => new WaveAgentNode({ run, node, fellows: nodes.filter((fellow) => fellow !== node), after }),
  );
}

/** What the next wave waits for: this one's end where several went, its soak where it has one. */
function endOf(run: Run, wave: Wave, turns: readonly Turn[]): pulumi.Resource {
  const [only] = turns;
  if (turns.length === 1 && only && wave.soakSeconds === 0) return only.tail;
  return new WaveTail({ run, wave, turns }).tail;
}

/** The wave's own steps, after its nodes' turns. */
class WaveTail extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;

  constructor({ run, wave, turns }: { run: Run; wave: Wave; turns: readonly Turn[] }) {
    const name = `wave-${wave.number}`;
    super("rke2:components:Wave", name, {});
    const { rke2Version: wanted, acceptedVersion: accepted, changeId } = run.settings;
    const { attempt, owner } = run.change;
    const names = wave.nodes.map((node) => node.name).join(" ");
    const tails = turns.map(({ tail }) => tail);
    const end =
      tails.length === 1
        ? (tails[0] as pulumi.Resource)
        : new WaveEnd(
            `${name}-end`,
            { nodes: names, wanted, accepted, changeId, attempt, owner },
            { parent: this, dependsOn: tails, hooks: run.hooks },
          );
    this.tail =
      wave.soakSeconds === 0
        ? end
        : step(run, { parent: this, after: end }, "canary-soak", canarySoak(run.settings, wave));
    this.registerOutputs({});
  }
}
