/** Pods that do not run (procedure §4.1), by the API of a server that answers. */
import type { V1Pod } from "@kubernetes/client-node";
import { isChartPod } from "../../observe/checks/workloads";
import { crashOf } from "../../observe/crashing";
import { fullName } from "../../observe/facts";
import { type Access, type Address, ask } from "./access";

/** A list of pods is asked for so long. */
const DEADLINE_MS = 8_000;

/** `namespace/name why`, sorted. @throws where the API gives no list */
export async function podsNotRunning(address: Address, access: Access, stop: AbortSignal): Promise<string[]> {
  const signal = AbortSignal.any([AbortSignal.timeout(DEADLINE_MS), stop]);
  // From the API server's own cache: etcd is not asked for it.
  const { status, body } = await ask(address, "/api/v1/pods?resourceVersion=0", access, signal);
  if (status !== 200) throw new Error(`HTTP ${status}`);
  return notRunning((JSON.parse(body) as { items?: V1Pod[] }).items ?? []);
}

/** Pure. Those that have ended well are not meant to run; RKE2's chart jobs crash between servers by design. */
export function notRunning(pods: readonly V1Pod[]): string[] {
  return pods
    .filter((pod) => !isChartPod(pod))
    .flatMap((pod) => {
      const phase = pod.status?.phase ?? "Unknown";
      const why = crashOf(pod) ?? (phase === "Running" || phase === "Succeeded" ? undefined : phase);
      return why ? [`${fullName(pod)} ${why}`] : [];
    })
    .sort();
}
