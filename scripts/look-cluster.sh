#!/usr/bin/env bash
# Reads the cluster from this server; changes nothing. Lines of name<TAB>JSON, each request bounded.
#
# Usage: CRITICAL [GROUP/VERSION/RESOURCE…]   (after lib.sh, lib-api.sh and lib-etcd-view.sh)
#   CRITICAL                label selector of critical workloads, URL-encoded; empty for none
#   GROUP/VERSION/RESOURCE  kinds of which some objects are listed, each where it is served
critical=$1
shift

printf 'nowMs\t%s\n' "$(date +%s%3N)"
question ready /readyz
question nodes /api/v1/nodes
question pods /api/v1/pods
# Whose pods may be missing; the ReplicaSets of Deployments are left out by their label, there are many.
for kind in deployments statefulsets daemonsets replicasets; do question "$kind" "/apis/apps/v1/$kind?labelSelector=%21pod-template-hash"; done
question budgets /apis/policy/v1/poddisruptionbudgets
if [ -n "$critical" ]; then
  question critical "/api/v1/pods?labelSelector=$critical"
fi
question leases /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases
question lock /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/rke2-upgrade optional
question requests /apis/certificates.k8s.io/v1/certificatesigningrequests
question charts /apis/batch/v1/namespaces/kube-system/jobs
question volumes /api/v1/persistentvolumes
question attachments /apis/storage.k8s.io/v1/volumeattachments
question plans /apis/upgrade.cattle.io/v1/plans optional
question longhorn /apis/longhorn.io/v1beta2/volumes optional
for kind in "$@"; do question "stored:$kind" "/apis/$kind?limit=5" optional; done
ask_all || { echo "  next: kubectl get --raw '/readyz?verbose' on this server" >&2 && exit 1; }
etcd_view $'\t'
# end of step
