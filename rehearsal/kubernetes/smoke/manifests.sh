# Static pod manifests of a server's control plane. Sourced by node.sh.
# shellcheck shell=bash

# static_pod NAME IMAGE PORT SCHEME PATH COMMAND…: a pod on the host's network with start-up and liveness probes.
static_pod() {
  local name=$1 image=$2 port=$3 scheme=$4 path=$5
  shift 5
  cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $name, namespace: kube-system, labels: {component: $name, tier: control-plane}}
spec:
  hostNetwork: true
  priorityClassName: system-cluster-critical
  containers:
  - name: $name
    image: $image
    command: [$(printf '"%s",' "$@")]
    startupProbe: {httpGet: {host: 127.0.0.1, port: $port, scheme: $scheme, path: $path}, failureThreshold: 60, periodSeconds: 1}
    livenessProbe: {httpGet: {host: 127.0.0.1, port: $port, scheme: $scheme, path: $path}, failureThreshold: 8, periodSeconds: 10}
YAML
}

# write_control_plane VERSION: the manifests of one Kubernetes version, each replaced atomically.
write_control_plane() {
  local kubernetes=index.example/rancher/hardened-kubernetes:$1-rke2r1-build20260820
  local etcd=index.example/rancher/hardened-etcd:$ETCD_VERSION-k3s1-build20260820
  local tls=$DIRECTORY/tls manifests=$DIRECTORY/manifests name
  mkdir -p "$DIRECTORY/new" "$manifests"
  static_pod etcd "$etcd" 2381 HTTP /health etcd --data-dir="$DIRECTORY/etcd" \
    --listen-metrics-urls=http://127.0.0.1:2381 > "$DIRECTORY/new/etcd.yaml"
  static_pod kube-apiserver "$kubernetes" 6443 HTTPS /livez kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
    --advertise-address="$NODE_IP" --secure-port=6443 --service-cluster-ip-range=10.43.0.0/16 \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --tls-cert-file="$tls/server.crt" --tls-private-key-file="$tls/server.key" --client-ca-file="$tls/ca.crt" \
    --kubelet-preferred-address-types=InternalIP \
    --kubelet-client-certificate="$tls/admin.crt" --kubelet-client-key="$tls/admin.key" \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$tls/service-account.key" \
    --service-account-signing-key-file="$tls/service-account.key" > "$DIRECTORY/new/kube-apiserver.yaml"
  static_pod kube-controller-manager "$kubernetes" 10257 HTTPS /healthz kube-controller-manager \
    --kubeconfig="$tls/admin.kubeconfig" --root-ca-file="$tls/ca.crt" --allocate-node-cidrs=true \
    --cluster-cidr=10.42.0.0/16 --service-account-private-key-file="$tls/service-account.key" \
    --use-service-account-credentials=true > "$DIRECTORY/new/kube-controller-manager.yaml"
  static_pod kube-scheduler "$kubernetes" 10259 HTTPS /healthz kube-scheduler \
    --kubeconfig="$tls/admin.kubeconfig" > "$DIRECTORY/new/kube-scheduler.yaml"
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler; do
    mv "$DIRECTORY/new/$name.yaml" "$manifests/$name.yaml"
  done
}
