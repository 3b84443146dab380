import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

/** Why a container that does not run will not run by itself. */
const HOPELESS =
  /^(CrashLoopBackOff|ImagePullBackOff|ErrImagePull|InvalidImageName|CreateContainer\w*Error)$/;

/**
 * Why one of a pod's containers does not come up, in kubectl's words; undefined where none is known not to. Between a
 * crash and the word for it a kubelet may say `Error` for long, so a container that ended badly after it had been
 * restarted counts too; one that ended once may be restarted yet.
 */
export function crashOf({ status }: V1Pod): string | undefined {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return undefined;
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return containers.map(whyOf).find(Boolean);
}

function whyOf({ state, restartCount }: V1ContainerStatus): string | undefined {
  const reason = state?.waiting?.reason ?? "";
  if (HOPELESS.test(reason)) return reason;
  const exitCode = state?.terminated?.exitCode ?? 0;
  return exitCode !== 0 && restartCount > 0
    ? `crashes: exit ${exitCode}, ${restartCount} restarts`
    : undefined;
}
