import type { V1Pod, V1PodDisruptionBudget } from "@kubernetes/client-node";
import type { ClusterNode } from "../config";
import { bareText, shellWord } from "../scripts";
import type { RefusedEviction } from "./cluster";
import { spend } from "./cost";
import { isEvicted } from "./drain";
import { fullName } from "./facts";
import type { Session } from "./ssh";

/** So many are asked for at once: some 15 ms each, and a command has ten seconds. */
const AT_ONCE = 200;

/** The pods whose eviction a budget may refuse: those that the agents' drains move, in namespaces that have one. */
export function underBudgets(
  agents: readonly Pick<ClusterNode, "name">[],
  pods: readonly V1Pod[],
  budgets: readonly V1PodDisruptionBudget[],
): string[] {
  const namespaces = new Set(budgets.map(({ metadata }) => metadata?.namespace));
  const drained = new Set(agents.map(({ name }) => name));
  return pods
    .filter(
      (pod) =>
        drained.has(pod.spec?.nodeName ?? "") && namespaces.has(pod.metadata?.namespace) && isEvicted(pod),
    )
    .map(fullName);
}

/** Asks the API server which of these evictions it would refuse: a server-side dry run, nothing is evicted. */
export async function askEvictions(
  session: Pick<Session, "exec">,
  pods: readonly string[],
): Promise<RefusedEviction[]> {
  const refused: RefusedEviction[] = [];
  for (let asked = 0; asked < pods.length; asked += AT_ONCE) {
    refused.push(...(await askBatch(session, pods.slice(asked, asked + AT_ONCE))));
  }
  return refused;
}

async function askBatch(session: Pick<Session, "exec">, pods: readonly string[]): Promise<RefusedEviction[]> {
  spend("apiCalls", pods.length);
  const { code, stdout, stderr } = await session.exec(
    `sudo -n bash -s -- ask-evictions ${pods.map(shellWord).join(" ")}`,
    { stdin: bareText("ask-evictions") },
  );
  if (code !== 0) throw new Error(stderr.trim());
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [pod = "", answer = ""] = line.split("\t");
      return { pod, reason: reasonOf(answer) };
    });
}

/** The API server's own words; those on the budget where it names one. */
function reasonOf(answer: string): string {
  try {
    const { message, details } = JSON.parse(answer) as {
      message?: string;
      details?: { causes?: { message?: string }[] };
    };
    return details?.causes?.[0]?.message ?? message ?? answer;
  } catch {
    return answer;
  }
}
