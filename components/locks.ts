import { hostname, userInfo } from "node:os";
import { type ClusterNode, isChanging, type Settings } from "../config";
import { withNode } from "../observe";
import { bareText, shellWord } from "../scripts";

/** Instant scripts: seconds at most, also on a busy node. */
const HOLD_TIMEOUT_MS = 30_000;

/**
 * Takes the cluster and every node for a change, or lets them go. The cluster's Lease refuses a second operator who
 * works from another state; the file on each node does so where the API is dead. Taking what is ours already is
 * fine, so a rerun goes on with its own.
 * @param owner UUID frozen in the change's state
 * @throws with who holds it since when, and what to do
 */
export async function holdAll(
  settings: Settings,
  sshPrivateKey: string,
  owner: string,
  action: "take" | "release",
): Promise<void> {
  const run = holder(settings, sshPrivateKey, owner, action);
  // The cluster first when taking: whoever loses there has touched no node.
  if (action === "take") await holdCluster(settings, sshPrivateKey, owner, action);
  for (const node of settings.nodes) await run(node, "hold-node");
  if (action === "release") await holdCluster(settings, sshPrivateKey, owner, action);
}

/**
 * Takes the cluster's Lease, or lets it go. That is all that operators alone need: where the API is dead they do not move,
 * and a node that is taken counts as left as it is (hold-node.sh), which nobody has judged there.
 */
export async function holdCluster(
  settings: Settings,
  sshPrivateKey: string,
  owner: string,
  action: "take" | "release",
): Promise<void> {
  const run = holder(settings, sshPrivateKey, owner, action);
  await onFirst(settings.servers, (server) => run(server, "hold-cluster"));
}

/** Takes the Lease for operators that are moved with no change under way: a change has it already. */
export async function holdForOperators(
  settings: Settings,
  sshPrivateKey: string,
  owner: string,
  moved: readonly string[],
): Promise<void> {
  if (moved.length > 0 && !isChanging(settings)) await holdCluster(settings, sshPrivateKey, owner, "take");
}

/**
 * Takes what a way back works on. Where the API is dead nobody holds a Lease there, and a machine that is lost holds no
 * file: both are taken as far as they can be. Another change's hold is refused wherever it is seen.
 * @param mayBeLost nodes that need not answer
 */
export async function holdForWayBack(
  settings: Settings,
  sshPrivateKey: string,
  owner: string,
  nodes: readonly ClusterNode[],
  mayBeLost: (node: ClusterNode) => boolean,
): Promise<void> {
  const hold = holder(settings, sshPrivateKey, owner, "take");
  const unless = (tolerated: boolean) => (error: Error) => {
    if (!tolerated || error.message.includes("held by another change")) throw error;
  };
  await onFirst(settings.servers, (server) => hold(server, "hold-cluster")).catch(unless(true));
  for (const node of nodes) await hold(node, "hold-node").catch(unless(mayBeLost(node)));
}

/** Asks the servers in order until one answers. A refusal by a server that answers is final. */
async function onFirst(
  servers: readonly ClusterNode[],
  ask: (server: ClusterNode) => Promise<void>,
): Promise<void> {
  const reasons: string[] = [];
  for (const server of servers) {
    try {
      return await ask(server);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason.includes("held by another change")) throw error;
      reasons.push(reason);
    }
  }
  throw new Error(reasons.join("\n"));
}

function holder(settings: Settings, sshPrivateKey: string, owner: string, action: "take" | "release") {
  const who = `${settings.changeId} by ${userInfo().username}@${hostname()}`;
  return (node: ClusterNode, script: "hold-node" | "hold-cluster") =>
    withNode(node, sshPrivateKey, async (session) => {
      const words = [script, action, owner, who].map(shellWord).join(" ");
      const { code, stderr } = await session.exec(`sudo -n bash -s -- ${words}`, {
        stdin: bareText(script),
        timeoutMs: HOLD_TIMEOUT_MS,
      });
      if (code !== 0) throw new Error(stderr.trim());
    });
}
