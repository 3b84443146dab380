import type { ClusterNode } from "../config";
import { type BareScript, bareText, shellWord } from "../scripts";
import { withNode } from "./ssh";

/** Runs a read-only script on a node. @returns what it printed @throws with the first thing that it said of its failure */
export async function bareLook(
  node: ClusterNode,
  privateKey: string,
  script: BareScript,
  args: readonly (string | number)[],
  timeoutMs: number,
): Promise<string> {
  const words = [script, ...args].map((word) => shellWord(String(word))).join(" ");
  const { code, stdout, stderr } = await withNode(node, privateKey, (session) =>
    session.exec(`sudo -n bash -s -- ${words}`, { stdin: bareText(script), timeoutMs }),
  );
  if (code !== 0) throw new Error(stderr.trim().split("\n")[0] || `${node.name}: exit ${code}`);
  return stdout;
}
