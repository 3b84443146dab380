#!/usr/bin/env bash
# What Rancher says of itself in its objects. Sent after lib.sh.
# shellcheck disable=SC2016 # Go templates hold dollar signs

API=${API:-127.0.0.1}

# Makes the object on stdin. The file on stdin is the caller's, which kube would not hand on.
create_object() {
  asked
  timeout 60 "$RKE2_DATA/bin/kubectl" --kubeconfig "$KUBECONFIG_FILE" --server "https://$API:6443" --request-timeout=15s create -f -
}

# v2.15.1: a server writes it when it begins. Nothing where no server has begun yet.
server_version() {
  kube "$API" get settings.management.cattle.io server-version --ignore-not-found -o go-template='{{or .value .default ""}}'
}

# One line a cluster that it manages, itself included: NAME<TAB>CALLED<TAB>READY<TAB>CONNECTED.
rancher_clusters() {
  kube "$API" get clusters.management.cattle.io -o go-template='{{range .items}}{{$ready := "-"}}{{$connected := "-"}}{{with .status}}{{range .conditions}}{{if eq .type "Ready"}}{{$ready = .status}}{{end}}{{if eq .type "Connected"}}{{$connected = .status}}{{end}}{{end}}{{end}}{{.metadata.name}}{{"\t"}}{{with .spec}}{{or .displayName "-"}}{{else}}-{{end}}{{"\t"}}{{$ready}}{{"\t"}}{{$connected}}{{"\n"}}{{end}}'
}

# Where a running pod of rancher-backup keeps its files: NODE<TAB>FOLDER there<TAB>PERSISTENT VOLUME; - for what is no folder that
# is reached over SSH. Nothing where no pod has a volume. What a driver mounts (CSI, NFS) the kubelet has below the pod's own.
backup_volume() {
  local pods node uid claim volume source folder csi nfs mounts
  pods=$(kube "$API" -n cattle-resources-system get pods -l app.kubernetes.io/name=rancher-backup -o go-template='{{range .items}}{{$claim := ""}}{{range .spec.volumes}}{{with .persistentVolumeClaim}}{{$claim = .claimName}}{{end}}{{end}}{{if and (eq .status.phase "Running") $claim}}{{.spec.nodeName}} {{.metadata.uid}} {{$claim}}{{"\n"}}{{end}}{{end}}') || return 1
  read -r node uid claim <<<"$pods"
  [ -n "$claim" ] || return 0
  volume=$(kube "$API" -n cattle-resources-system get pvc "$claim" -o jsonpath='{.spec.volumeName}') || return 1
  source=$(kube "$API" get pv "$volume" -o jsonpath='{.spec.hostPath.path}{.spec.local.path}|{.spec.csi.driver}|{.spec.nfs.path}') || return 1
  IFS='|' read -r folder csi nfs <<<"$source"
  mounts=/var/lib/kubelet/pods/$uid/volumes
  if [ -n "$csi" ]; then folder=$mounts/kubernetes.io~csi/$volume/mount; fi
  if [ -n "$nfs" ]; then folder=$mounts/kubernetes.io~nfs/$volume; fi
  printf '%s\t%s\t%s\n' "$node" "${folder:--}" "$volume"
}
