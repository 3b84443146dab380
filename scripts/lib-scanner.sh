#!/usr/bin/env bash
# kube-bench on this node: from its release archive, or from an image through RKE2's own containerd. Sent after lib-fetch.sh.

# Puts the program and its cfg/ into FOLDER, checked, once. provide_scanner SOURCE SHA256 CA FOLDER
provide_scanner() {
  local source=$1 sha256=$2 ca=$3 tool=$4 part=$4.part
  if [ -x "$tool/kube-bench" ]; then return 0; fi
  rm -rf "$part"
  mkdir -p "$part"
  case $source in
  *://*)
    trust "$ca"
    fetch "$source" "$part/archive.tar.gz"
    echo "$sha256  $part/archive.tar.gz" | sha256sum -c --status - ||
      fail "$source is not the archive of scan.sha256, but $(sha256sum "$part/archive.tar.gz" | cut -c -64)" "compare it with the release's checksums; nothing of it was run"
    tar -xzf "$part/archive.tar.gz" -C "$part" --no-same-owner
    rm "$part/archive.tar.gz"
    [ -x "$part/kube-bench" ] || fail "$source holds no kube-bench at its top" "set scan.url to a release archive of kube-bench"
    ;;
  *) copy_from_image "$source" "$part" ;;
  esac
  mv "$part" "$tool"
}

# copy_from_image IMAGE FOLDER. The digest in IMAGE's name is what containerd checks; its registries.yaml says where from.
copy_from_image() {
  local image=$1 folder=$2
  crictl inspecti -q "$image" >/dev/null 2>&1 || until_ok 60 crictl pull "$image" ||
    fail "cannot pull $image: $LAST" "pull it here by hand (crictl pull) to see why: mirrors and credentials stand in /etc/rancher/rke2/registries.yaml; then run pulumi up again"
  mkdir "$folder/image"
  # ctr mounts by itself, and here in a mount namespace of its own: nothing stays mounted, not even after a kill. The
  # snapshot that is left then bears the folder's name, so that the next try takes it up; its lease ends after a day.
  # shellcheck disable=SC2016 # that shell's own arguments
  LAST=$(unshare --mount bash -euc '
    ctr() { "$1/bin/ctr" --address /run/k3s/containerd/containerd.sock --namespace k8s.io images "${@:2}"; }
    trap "ctr \"$1\" unmount --rm \"$3/image\" || true" EXIT
    ctr "$1" mount "$2" "$3/image"
    cp "$3/image/usr/local/bin/kube-bench" "$3/kube-bench"
    cp -r "$3/image/opt/kube-bench/cfg" "$3/cfg"
  ' copy "$RKE2_DATA" "$image" "$folder" 2>&1 </dev/null) ||
    fail "cannot take kube-bench out of $image: $LAST" "set scan.image to the makers' image (aquasec/kube-bench: /usr/local/bin/kube-bench and /opt/kube-bench/cfg), or scan.url and scan.sha256 in its place"
  rmdir "$folder/image"
}
