import * as pulumi from "@pulumi/pulumi";
import type { ClusterNode } from "../config";
import { Reboot } from "./reboot";
import { type Link, type Run, step } from "./step";
import { TurnGate } from "./turnGate";
import { agentTurn, type PlannedStep, serverTurn } from "./turns";

/** Arguments of a node's turn. */
export interface NodeTurnArgs {
  readonly run: Run;
  readonly node: ClusterNode;
  /** What this node's turn waits for: the tail of all before it. */
  readonly after: pulumi.Resource;
}

/** A node's turn: its steps one after another, each a Command that depends on the one before. */
abstract class NodeTurn extends pulumi.ComponentResource implements Link {
  readonly tail: pulumi.Resource;
  /** What the gate that opens the turn found, a line a check. */
  readonly found: pulumi.Output<string[]>;
  /** What the node was before its turn: the JSON line of its gate. */
  readonly before: pulumi.Output<string>;
  /** What it is after: the JSON line of its verification. */
  readonly after: pulumi.Output<string>;
  /** What was done to its OS: the JSON line of its patches; undefined where it is left alone. */
  readonly patched: pulumi.Output<string> | undefined;

  protected constructor(
    type: string,
    { run, node, after }: NodeTurnArgs,
    steps: PlannedStep[],
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(`rke2:components:${type}`, node.name, {}, opts);
    const said = new Map<string, pulumi.Output<string>>();
    const { settings, change } = run;
    const { rke2Version: wanted, acceptedVersion: accepted, changeId } = settings;
    const { attempt, owner } = change;
    const inputs = { node: node.name, wanted, accepted, changeId, attempt, owner };
    const gate = new TurnGate(`${node.name}-turn-gate`, inputs, { parent: this, dependsOn: [after] });
    this.found = gate.found;
    let tail: pulumi.Resource = gate;
    for (const planned of steps) {
      const name = `${node.name}-${planned.id}`;
      const made = planned.reboots
        ? new Reboot(
            name,
            { ...inputs, when: settings.osPatch.reboot },
            { parent: this, dependsOn: [tail], hooks: run.hooks },
          )
        : step(run, { parent: this, after: tail }, name, planned);
      said.set(planned.id, made.stdout);
      tail = made;
    }
    this.tail = tail;
    this.before = stdoutOf(said, "gate-node");
    this.after = stdoutOf(said, "verify-node");
    this.patched = said.get("patch");
    this.registerOutputs({ before: this.before, after: this.after });
  }
}

function stdoutOf(said: Map<string, pulumi.Output<string>>, id: string): pulumi.Output<string> {
  const found = said.get(id);
  if (!found) throw new Error(`a turn without ${id}`);
  return found;
}

/** One server's turn: gates, back up config, install, restart with etcd's leadership moved away, verify, soak. */
export class ServerNode extends NodeTurn {
  constructor(args: NodeTurnArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ServerNode", args, serverTurn(args.run.settings, args.node), opts);
  }
}

/** One agent's turn: gates, cordon, drain, install, restart, verify, soak, uncordon. */
export class AgentNode extends NodeTurn {
  constructor(args: NodeTurnArgs, opts?: pulumi.ComponentResourceOptions) {
    super("AgentNode", args, agentTurn(args.run.settings, args.node), opts);
  }
}

/** The turn of an agent with a GPU: longer limits, its workloads listed before, its GPU proven after (§3.3.4). */
export class GpuAgentNode extends NodeTurn {
  constructor(args: NodeTurnArgs, opts?: pulumi.ComponentResourceOptions) {
    super("GpuAgentNode", args, agentTurn(args.run.settings, args.node), opts);
  }
}
