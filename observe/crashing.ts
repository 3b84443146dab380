import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

/** Why a container that does not run will not run by itself. */
const HOPELESS =
  /^(CrashLoopBackOff|ImagePullBackOff|ErrImagePull|InvalidImageName|CreateContainer\w*Error)$/;
/** What a kubelet that was just started also says, until it has read the cluster's services and the pod's config. */
const MAY_PASS = /^CreateContainer\w*Error$/;

/**
 * Why one of a pod's containers does not come up, in kubectl's words; undefined where none is known not to. Between a
 * crash and the word for it a kubelet may say `Error` for long, so a container that ended badly after it had been
 * restarted counts too; one that ended once may be restarted yet.
 * @param patience how long a reason that may pass is let pass, at the time of the look; without it not at all
 */
export function crashOf({ status }: V1Pod, patience?: { at: Date; seconds: number }): string | undefined {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return undefined;
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const ready = status?.conditions?.find(({ type }) => type === "ContainersReady")?.lastTransitionTime;
  const fresh =
    patience !== undefined &&
    ready !== undefined &&
    patience.at.getTime() - new Date(ready).getTime() < patience.seconds * 1000;
  return containers.map(whyOf).find((why) => why && !(fresh && MAY_PASS.test(why)));
}

function whyOf({ state, restartCount }: V1ContainerStatus): string | undefined {
  const reason = state?.waiting?.reason ?? "";
  if (HOPELESS.test(reason)) return reason;
  const exitCode = state?.terminated?.exitCode ?? 0;
  return exitCode !== 0 && restartCount > 0
    ? `crashes: exit ${exitCode}, ${restartCount} restarts`
    : undefined;
}
