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
