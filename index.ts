/** The procedure's table of contents: config in, components in order, outputs out. */
import * as pulumi from "@pulumi/pulumi";
import { Acceptance } from "./components/acceptance";
import { layOutAgents } from "./components/agents";
import { announce } from "./components/announce";
import { Artifacts } from "./components/artifacts";
import { Change } from "./components/change";
import { asText } from "./components/changePolicy";
import { decisionHook } from "./components/decisionHook";
import { nodesAsText } from "./components/frozenNodes";
import { apiOf } from "./components/kubeconfig";
import { manifestOf } from "./components/manifest";
import { ServerNode } from "./components/nodeTurn";
import { layOutOperators, type OperatorsInState } from "./components/operators";
import { planLines } from "./components/plan";
import { Preflight } from "./components/preflight";
import { Recovery } from "./components/recovery/recovery";
import { Scan, type ScanArgs } from "./components/scan";
import { settingsOrExplain } from "./components/settings";
import { refuseSshAgent } from "./components/sshAgent";
import type { Run } from "./components/step";
import { Charts, Manifest, Validation } from "./components/validation";
import { WayBack } from "./components/wayBack";
import { hasTurn, isChanging } from "./config";

const { settings, secrets } = settingsOrExplain();
refuseSshAgent();
const { rke2Version: wanted, acceptedVersion: accepted, changeId, osPatch } = settings;

const goBack = asText(settings.goBack);
const { round = "", acceptedRound = "" } = osPatch;
const nodes = nodesAsText(settings.nodes);
const change = new Change("change", { wanted, accepted, changeId, goBack, round, acceptedRound, nodes });
const run: Run = { settings, change, sshPrivateKey: secrets.sshPrivateKey };

export const plan = planLines(settings);
const outcome = goBack ? recover() : isChanging(settings) ? upgrade() : settle();
export const { manifest, gates, scans } = outcome;
announce(run, secrets, outcome.operators);

/** What a run leaves as outputs: versions by node, and what its gates found when they were asked. */
interface Outcome {
  readonly manifest: pulumi.Output<unknown>;
  readonly gates: Record<string, pulumi.Output<unknown>>;
  /** By when, then by node; there where the config asks for scans. */
  readonly scans?: Record<string, pulumi.Output<unknown>>;
  /** What the stack's state knows of its operators, where there are any. */
  readonly operators?: OperatorsInState;
}

/** Bumped, or a round of OS patches begun, and not yet accepted: the way back first, then servers, then agents, then the proof (procedure §3.3). */
function upgrade(): Outcome {
  const { attempt, owner } = change;
  const preflight = new Preflight(
    "preflight",
    { wanted, accepted, changeId, goBack, attempt, owner },
    { dependsOn: [change] },
  );
  const operators = layOutOperators(run, secrets, preflight);
  const before = scan("before", operators.gate);
  const artifacts = new Artifacts("artifacts", { run, after: before?.tail ?? operators.gate });
  const wayBack = new WayBack("way-back", { run, after: artifacts.tail });

  const serial: Run = { ...run, hooks: { onError: [decisionHook(run)] } };
  let tail = operators.before(wayBack.tail);
  const servers = new Map<string, ServerNode>();
  for (const node of settings.servers.filter((server) => hasTurn(settings, server))) {
    const turn = new ServerNode({ run: serial, node, after: tail });
    servers.set(node.name, turn);
    tail = turn.tail;
  }
  tail = new Charts("charts", { run: serial, after: tail }).tail;
  const agents = layOutAgents(serial, tail);
  const cluster = apiOf(run, secrets, agents.tail);
  tail = new Validation("validation", { run: serial, after: operators.after(agents.tail), cluster }).tail;
  const after = scan("after", tail);
  tail = after?.tail ?? tail;
  new Manifest("manifest", { run, after: tail, cluster });
  const turns = new Map([...servers, ...agents.turns]);
  const found = [...turns].map(([name, turn]) => [name, turn.found] as const);
  return {
    manifest: manifestOf(turns, change.from),
    gates: { preflight: preflight.found, ...Object.fromEntries(found) },
    scans: before && after && { before: before.found, after: after.found },
    operators: operators.inState,
  };
}

/** The compliance scan of every node, where the config asks for it (procedure §5.1). */
function scan(when: ScanArgs["when"], after: pulumi.Resource): Scan | undefined {
  return settings.scan && new Scan(`scan-${when}`, { run, when, after });
}

/** Adopted or accepted: prove every node, let the way back go, install nothing on them. Operators go before that. */
function settle(): Outcome {
  const operators = layOutOperators(run, secrets, change);
  const after = operators.after(operators.before(operators.gate));
  const acceptance = new Acceptance("settled", { run, after });
  const tail = operators.letGo(acceptance.tail);
  new Manifest("manifest", { run, after: tail, cluster: apiOf(run, secrets, tail) });
  const { turns, scanned } = acceptance;
  return {
    manifest: manifestOf(turns, change.from),
    gates: {},
    scans: scanned && { accept: scanned },
    operators: operators.inState,
  };
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
