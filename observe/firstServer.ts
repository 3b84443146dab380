import type { ClusterNode } from "../config";

/**
 * Asks the servers in turn until one answers: agents hold no credentials for the cluster.
 * @throws with every server's reason where none answers
 */
export async function askFirst<Answer>(
  servers: readonly ClusterNode[],
  ask: (server: ClusterNode) => Promise<Answer>,
): Promise<Answer> {
  const reasons: string[] = [];
  for (const server of servers) {
    try {
      return await ask(server);
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(reasons.join("; "));
}
