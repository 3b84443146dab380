import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterNode } from "../config";
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

  protected constructor(
    type: string,
    { run, node, after }: NodeTurnArgs,
    steps: PlannedStep[],
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(`rke2:components:${type}`, node.name, {}, opts);
    const commands = new Map<string, command.remote.Command>();
    const { settings, change } = run;
    const { rke2Version: wanted, acceptedVersion: accepted, changeId } = settings;
    const gate = new TurnGate(
      `${node.name}-turn-gate`,
      { node: node.name, wanted, accepted, changeId, attempt: change.attempt, owner: change.owner },
      { parent: this, dependsOn: [after] },
    );
    this.found = gate.found;
    let tail: pulumi.Resource = gate;
    for (const planned of steps) {
      const made = step(run, { parent: this, after: tail }, `${node.name}-${planned.id}`, planned);
      commands.set(planned.id, made);
      tail = made;
    }
    this.tail = tail;
    this.before = stdoutOf(commands, "gate-node");
    this.after = stdoutOf(commands, "verify-node");
    this.registerOutputs({ before: this.before, after: this.after });
  }
}

function stdoutOf(commands: Map<string, command.remote.Command>, id: string): pulumi.Output<string> {
  const found = commands.get(id);
  if (!found) throw new Error(`a turn without ${id}`);
  return found.stdout;
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
