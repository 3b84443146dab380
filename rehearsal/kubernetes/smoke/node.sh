#!/usr/bin/env bash
# The node that smoke.sh boots, and what is asked of it. Runs as PID 1 of its own namespaces.
# usage: node.sh FOLDER FROM TO
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
DIRECTORY=$1 from=$2 to=$3
cache=${RKE2_UPGRADE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rke2-upgrade}
NODE=smoke NODE_IP=10.25.20.11
ETCD_VERSION=$(basename "$cache"/etcd/v*)
export KUBECONFIG=$DIRECTORY/tls/admin.kubeconfig
# shellcheck source=certificates.sh
source "$here/certificates.sh"
# shellcheck source=manifests.sh
source "$here/manifests.sh"

kubectl() { "$cache/kubernetes/$from/bin/kubectl" "$@"; }

# eventually SECONDS WHAT COMMAND…: waits until the command succeeds; on failure says what and shows logs.
eventually() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" > "$DIRECTORY/last" 2>&1; do
    if ((SECONDS >= deadline)); then
      echo "FAILED: $what"
      tail -n 5 "$DIRECTORY/last" "$DIRECTORY/kubelet.log" "$DIRECTORY/containerd.log"
      exit 1
    fi
    sleep 0.3
  done
  echo "ok: $what"
}

# is EXPECTED COMMAND…: whether the command prints exactly that.
is() {
  local expected=$1 actual
  shift
  actual=$("$@")
  echo "expected: $expected, actual: $actual"
  [[ $actual == "$expected" ]]
}

# start_containerd VERSION, start_kubelet VERSION: as rke2 starts them; their PIDs stand in $containerd and $kubelet.
start_containerd() {
  "$cache/kubernetes/$1/bin/containerd" --root "$DIRECTORY/containerd" --state /run/k3s/containerd \
    --address "$DIRECTORY/containerd.sock" --images "$DIRECTORY/images" >> "$DIRECTORY/containerd.log" 2>&1 &
  containerd=$!
}
start_kubelet() {
  "$cache/kubernetes/$1/bin/kubelet" --kubeconfig="$DIRECTORY/tls/kubelet.kubeconfig" --hostname-override=$NODE \
    --node-ip=$NODE_IP --container-runtime-endpoint="unix://$DIRECTORY/containerd.sock" \
    --pod-manifest-path="$DIRECTORY/manifests" --root-dir="$DIRECTORY/kubelet" --cert-dir="$DIRECTORY/kubelet-pki" \
    --client-ca-file="$DIRECTORY/tls/ca.crt" --anonymous-auth=false --authorization-mode=Webhook \
    --authentication-token-webhook=true --tls-cert-file="$DIRECTORY/tls/server.crt" \
    --tls-private-key-file="$DIRECTORY/tls/server.key" --extended-resources=nvidia.com/gpu=1 \
    --capacity=cpu=4,memory=16Gi --cluster-dns=10.43.0.10 --file-check-frequency=2s --sync-frequency=10s --fail-cgroupv1=false \
    >> "$DIRECTORY/kubelet.log" 2>&1 &
  kubelet=$!
}

# boot: links, folders, certificates and the two processes that a node begins with.
boot() {
  ip link set lo up
  ip link add eth0 type veth peer name peer0
  ip address add $NODE_IP/24 dev eth0
  ip link set peer0 up
  ip link set eth0 up
  mount -t tmpfs tmpfs /var/log
  mount -t tmpfs tmpfs /run
  mkdir -p "$DIRECTORY/tls" "$DIRECTORY/images/hardened-etcd" "$DIRECTORY/images/hardened-kubernetes"
  ln -s "$cache/etcd/$ETCD_VERSION" "$DIRECTORY/images/hardened-etcd/"
  local version
  for version in "$from" "$to"; do ln -sfn "$cache/kubernetes/$version" "$DIRECTORY/images/hardened-kubernetes/"; done
  make_ca "$DIRECTORY/tls"
  issue "$DIRECTORY/tls" server /CN=kube-apiserver
  issue "$DIRECTORY/tls" admin /O=system:masters/CN=admin
  issue "$DIRECTORY/tls" kubelet /O=system:nodes/CN=system:node:$NODE
  kubeconfig "$DIRECTORY/tls" admin
  kubeconfig "$DIRECTORY/tls" kubelet
  write_control_plane "$from"
  start_kubelet "$from" # before its runtime: it has to wait for the socket
  start_containerd "$from"
}

pod_field() { kubectl get pod -n "$1" "$2" -o "jsonpath={$3}"; }
node_field() { kubectl get node $NODE -o "jsonpath={$1}"; }
running() { kubectl get pods -l "$1" --field-selector=status.phase=Running -o name | wc -l; }
server_version() { kubectl version | sed -n 's/^Server Version: //p'; }
program_pid() { pgrep -o -x "$1"; }

boot
eventually 60 "static pods bring up an API server" kubectl get --raw /readyz
eventually 60 "the node is ready as $from" is "True $from" \
  node_field '.status.conditions[?(@.type=="Ready")].status} {.status.nodeInfo.kubeletVersion'
eventually 5 "its address, GPU and capacity are what it was told" is "$NODE_IP 1 4" \
  node_field '.status.addresses[?(@.type=="InternalIP")].address} {.status.allocatable.nvidia\.com/gpu} {.status.capacity.cpu'
eventually 60 "mirror pods run, at the node's address" is "Running $NODE_IP" \
  pod_field kube-system kube-apiserver-$NODE '.status.phase} {.status.podIP'
eventually 60 "the default service account is there" kubectl get serviceaccount default

kubectl apply -f "$here/workloads.yaml" > "$DIRECTORY/last"
eventually 60 "the deployment runs" is 2 running app=web
eventually 60 "the Job completes" kubectl wait --for=condition=complete job/task --timeout=1s
eventually 60 "a failing Job fails" kubectl wait --for=condition=failed job/broken --timeout=1s
eventually 10 "kubectl logs shows what a simulated pod wrote" is "hello from the rehearsal" kubectl logs deployment/web
for name in etcd kube-apiserver kube-controller-manager kube-scheduler; do
  eventually 120 "$name has a mirror pod" kubectl get pod -n kube-system $name-$NODE
done
eventually 10 "kubectl logs shows what etcd wrote" kubectl logs -n kube-system etcd-$NODE --tail=1

began=$SECONDS
kubectl delete pod slow > "$DIRECTORY/last"
((SECONDS - began >= 4 && SECONDS - began <= 9)) || { echo "FAILED: slow took $((SECONDS - began)) s to stop"; exit 1; }
echo "ok: a pod takes the time it needs to stop ($((SECONDS - began)) s of 5)"
kubectl drain $NODE --ignore-daemonsets --force --timeout=8s > "$DIRECTORY/drain" 2>&1 || true
eventually 1 "drain is held up by the budget" grep "would violate the pod's disruption budget" "$DIRECTORY/drain"
kubectl uncordon $NODE > "$DIRECTORY/last"
eventually 60 "the deployment is whole again" is 2 running app=web

uids=$(kubectl get pods -A -o 'jsonpath={.items[*].metadata.uid}')
apiserver=$(program_pid kube-apiserver)
kill -KILL "$containerd" "$kubelet"
wait "$containerd" "$kubelet" 2> /dev/null || true
start_containerd "$from"
start_kubelet "$from"
eventually 30 "kubelet is healthy after a kill of it and the runtime" curl -fsS http://127.0.0.1:10248/healthz
eventually 10 "the API server is the same process" is "$apiserver" program_pid kube-apiserver
eventually 10 "pods are the same" is "$uids" kubectl get pods -A -o 'jsonpath={.items[*].metadata.uid}'

kill "$kubelet" "$containerd"
wait "$kubelet" "$containerd" 2> /dev/null || true
write_control_plane "$to"
start_containerd "$to"
start_kubelet "$to"
eventually 90 "the node is ready as $to" is "True $to" \
  node_field '.status.conditions[?(@.type=="Ready")].status} {.status.nodeInfo.kubeletVersion'
for name in kube-apiserver kube-controller-manager kube-scheduler; do
  eventually 90 "the mirror pod of $name is ready with the tag of $to" \
    is "true index.example/rancher/hardened-kubernetes:$to-rke2r1-build20260820" \
    pod_field kube-system "$name-$NODE" '.status.containerStatuses[0].ready} {.status.containerStatuses[0].image'
done
eventually 30 "the API server is $to" is "$to" server_version
eventually 30 "the deployment ran through" is 2 running app=web
echo "all ok in $SECONDS s"
