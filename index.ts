/** The procedure's table of contents: config in, components in order, outputs out. */
import * as pulumi from "@pulumi/pulumi";
import { Acceptance } from "./components/acceptance";
import { announce } from "./components/announce";
import { Artifacts } from "./components/artifacts";
import { Change } from "./components/change";
import { asText, isUnderWay } from "./components/changePolicy";
import { apiOf } from "./components/kubeconfig";
import { manifestOf } from "./components/manifest";
import { AgentNode, GpuAgentNode, ServerNode } from "./components/nodeTurn";
import { planLines } from "./components/plan";
import { Preflight } from "./components/preflight";
import { Recovery } from "./components/recovery/recovery";
import { settingsOrExplain } from "./components/settings";
import type { Run } from "./components/step";
import { Charts, Manifest, Validation } from "./components/validation";
import { WayBack } from "./components/wayBack";

const { settings, secrets } = settingsOrExplain();
const { rke2Version: wanted, acceptedVersion: accepted, changeId } = settings;

const goBack = asText(settings.goBack);
const change = new Change("change", { wanted, accepted, changeId, goBack });
const run: Run = { settings, change, sshPrivateKey: secrets.sshPrivateKey };
announce(run, secrets);

export const plan = planLines(settings);
const outcome = goBack ? recover() : isUnderWay({ wanted, accepted }) ? upgrade() : settle();
export const { manifest, gates } = outcome;

/** What a run leaves as outputs: versions by node, and what its gates found when they were asked. */
interface Outcome {
  readonly manifest: pulumi.Output<unknown>;
  readonly gates: Record<string, pulumi.Output<unknown>>;
}

/** Bumped and not yet accepted: the way back first, then servers, then agents, then the proof (procedure §3.3). */
function upgrade(): Outcome {
  const { attempt, owner } = change;
  const preflight = new Preflight(
    "preflight",
    { wanted, accepted, changeId, goBack, attempt, owner },
    { dependsOn: [change] },
  );
  const artifacts = new Artifacts("artifacts", { run, after: preflight });
  const wayBack = new WayBack("way-back", { run, after: artifacts.tail });

  let tail = wayBack.tail;
  const turns = new Map<string, ServerNode | AgentNode>();
  for (const node of settings.servers) {
    const turn = new ServerNode({ run, node, after: tail });
    turns.set(node.name, turn);
    tail = turn.tail;
  }
  tail = new Charts("charts", { run, after: tail }).tail;
  for (const node of settings.agents) {
    const turn = new (node.gpu ? GpuAgentNode : AgentNode)({ run, node, after: tail });
    turns.set(node.name, turn);
    tail = turn.tail;
  }
  const cluster = apiOf(run, secrets, tail);
  tail = new Validation("validation", { run, after: tail, cluster }).tail;
  new Manifest("manifest", { run, after: tail, cluster });
  const found = [...turns].map(([name, turn]) => [name, turn.found] as const);
  return {
    manifest: manifestOf(turns, change.from),
    gates: { preflight: preflight.found, ...Object.fromEntries(found) },
  };
}

/** Adopted or accepted: prove every node, let the way back go, install nothing. */
function settle(): Outcome {
  const acceptance = new Acceptance("settled", { run, after: change });
  new Manifest("manifest", { run, after: acceptance.tail, cluster: apiOf(run, secrets, acceptance.tail) });
  return { manifest: manifestOf(acceptance.turns, change.from), gates: {} };
}

/** Going back, in place of the forward chains: what exists stays declared, and nothing of Kubernetes is read or made. */
function recover(): Outcome {
  const { attempt, owner } = change;
  const preflight = new Preflight(
    "preflight",
    { wanted, accepted, changeId, goBack, attempt, owner },
    { dependsOn: [change] },
  );
  const wayBack = new WayBack("way-back", { run, after: preflight });
  const { turns, recovered } = new Recovery("recovery", { run, after: wayBack.tail });
  const { rtoSeconds, rpoSeconds, summary } = recovered;
  const nodes = manifestOf(turns, change.from);
  return {
    manifest: pulumi.output({ nodes, rtoSeconds, rpoSeconds, summary }),
    gates: { preflight: preflight.found },
  };
}
