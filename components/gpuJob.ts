import type { ClusterNode, Settings } from "../config";

/** Seconds after which a failed one goes by itself; a rerun takes it away before. */
const TTL_SECONDS = 600;

/** A Job that uses a GPU of one node. */
export interface GpuJob {
  readonly namespace: string;
  readonly name: string;
  /** JSON without a `$` or a `%`, which systemd would replace in a step's arguments. */
  readonly manifest: string;
}

/**
 * The Job that proves a node's GPU (procedure §3.3.4): the change's, one a node, marked as ours by its annotation.
 * @throws where the config asks for none
 */
export function gpuJob({ gpuTest, changeId }: Settings, { name: node, vmId }: ClusterNode): GpuJob {
  if (!gpuTest) throw new Error("no GPU test is asked for");
  const { image, command, namespace, runtimeClassName, timeoutSeconds } = gpuTest;
  // By the VM's ID: a node's name and a change's may be too long together for the label that Jobs give their pods.
  const name = `rke2-upgrade-gpu-${changeId.toLowerCase().replaceAll("_", "-")}-${vmId}`;
  const onNode = { matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] };
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace, annotations: { "rke2-upgrade/change": changeId } },
    spec: {
      backoffLimit: 0,
      // The step reads why before Kubernetes ends it and takes its pod away.
      activeDeadlineSeconds: timeoutSeconds + 60,
      ttlSecondsAfterFinished: TTL_SECONDS,
      template: {
        spec: {
          restartPolicy: "Never",
          ...(runtimeClassName ? { runtimeClassName } : {}),
          // The node is cordoned, and may bear taints of its owner's. The scheduler places it all the same: it alone waits
          // until the GPU is free.
          tolerations: [{ operator: "Exists" }],
          affinity: {
            nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [onNode] } },
          },
          containers: [
            {
              name: "gpu-test",
              image,
              ...(command.length > 0 ? { command } : {}),
              resources: { limits: { "nvidia.com/gpu": 1 } },
            },
          ],
        },
      },
    },
  };
  const manifest = JSON.stringify(job).replaceAll("$", "\\u0024").replaceAll("%", "\\u0025");
  return { namespace, name, manifest };
}
