#!/usr/bin/env bash
# Assembles the stand-in for the container registry: of every image that the
# machines really run, the binaries, as the container runtime stand-in looks
# them up (<image name>/<tag up to its first dash>/bin/<command>).
#
# usage: build-images.sh ETCD_DIRECTORY KUBERNETES_DIRECTORY...
#   ETCD_DIRECTORY        .../etcd/vX.Y.Z with bin/{etcd,etcdutl}
#   KUBERNETES_DIRECTORY  .../kubernetes/vX.Y.Z with bin/{kube,kube-apiserver,...,http}
# Prints as its last line the folder. Binaries are hard links: no room is taken twice.
set -euo pipefail

rancher_backup="$(dirname "$(readlink -f "$0")")/../rancher-backup/operator.sh"
etcd=$1
shift
cache="${RKE2_UPGRADE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rke2-upgrade}"

# A rebuilt binary is another file, and makes another folder: running machines keep theirs.
key="$({
  cat "${BASH_SOURCE[0]}" "$rancher_backup"
  find -L "$etcd/bin" "${@/%//bin}" -type f -printf '%p %i %s %T@\n' | sort
} | sha256sum | cut -c1-16)"
images="$cache/images/$key"

# Copies a folder of binaries, one image's, links among them kept.
add() {
  local from=$1 to=$2
  mkdir -p "$(dirname "$to")"
  cp --archive --link "$from" "$to" 2>/dev/null || cp --archive "$from" "$to"
}

if [[ ! -d $images ]]; then
  temporary="$images.$$"
  trap 'rm -rf "$temporary"' EXIT
  add "$etcd/bin/" "$temporary/hardened-etcd/$(basename "$etcd")/bin"
  for kubernetes in "$@"; do
    add "$kubernetes/bin/" "$temporary/hardened-kubernetes/$(basename "$kubernetes")/bin"
  done
  # The workloads' web server is a word of the newest multi-call binary.
  mkdir -p "$temporary/rehearsal-http/v1/bin"
  ln "$(realpath "$kubernetes/bin/http")" "$temporary/rehearsal-http/v1/bin/http" 2>/dev/null ||
    cp "$(realpath "$kubernetes/bin/http")" "$temporary/rehearsal-http/v1/bin/http"
  install -D -m 755 "$rancher_backup" "$temporary/rehearsal-rancher-backup/v1/bin/backup-restore-operator"
  mv "$temporary" "$images"
fi
echo "$images"
