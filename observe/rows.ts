/** The rows of the procedure's troubleshooting table (§4.2), to stand at the end of what to do next, as scripts/lib.sh has them for steps. */
export const ROWS = {
  join: '§4.2 "Node fails to join cluster": check certificates (rke2 certificate check), firewall rules (9345, 6443), token validity',
  controlPlane:
    '§4.2 "Control plane pod failures": version skew or resource constraints: kubectl logs -n kube-system POD, or crictl ps -a there',
  quorum:
    '§4.2 "etcd quorum lost": curl http://127.0.0.1:2381/health on each server; crictl ps -a --name etcd; no server is taken down while a member is',
  reschedule:
    '§4.2 "Workloads fail to reschedule": check taints, tolerations, resources: kubectl get events -A --field-selector reason=FailedScheduling',
  gpu: '§4.2 "GPU operator compatibility": update the GPU operator after the cluster upgrade',
} as const;
