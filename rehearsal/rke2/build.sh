#!/usr/bin/env bash
# Builds the releases that the rehearsal's release server serves, where they are not in the cache already:
#   releases/<key>/install.sh
#   releases/<key>/<version>/{rke2.linux-amd64.tar.gz,rke2-images.linux-amd64.{tar.gz,txt},sha256sum-amd64.txt}
# The archive of images has their names alone (node/images.go).
# Other sources are another key and another folder: a release server that runs keeps what it serves.
# usage: build.sh [VERSION…]     as v1.35.4+rke2r1
# The last line of the output is the folder of the releases.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

cache=${RKE2_UPGRADE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rke2-upgrade}
etcd_version=v3.6.16
module=rehearsal/rke2/release
export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"

# build_date VERSION: when its images were built. The images of two releases always differ.
build_date() {
  case $1 in
    v1.35.4+rke2r1) echo 20260416 ;;
    v1.36.3+rke2r1) echo 20260716 ;;
    v1.36.3+rke2r2) echo 20260723 ;;
    *) echo 20260820 ;;
  esac
}

# image_names VERSION: what RKE2's own archive holds of what there is here. Traefik is not in it.
image_names() {
  local date
  date=$(build_date "$1")
  {
    echo "rancher/hardened-kubernetes:${1//+/-}-build$date"
    echo "rancher/hardened-etcd:$etcd_version-k3s1-build$date"
    find charts/manifests -name '*.yaml' ! -name rke2-traefik.yaml -exec sed -n "s/^ *image: //; T; s/{{ .Build }}/$date/p" {} +
  } | sort -u | sed 's#^#docker.io/#'
}

# build_release VERSION: into a temporary folder, which then takes the place of what was there.
build_release() {
  local version=$1 target build commit
  target=$releases/$version
  if [[ -d $target ]]; then return; fi
  echo "RKE2 $version: building"
  build=$(mktemp -d "$releases/.build.XXXXXX")
  commit=$(printf 'rehearsal %s' "$version" | sha1sum | cut -c1-40)
  mkdir "$build/tree"
  cp -a bundle/. "$build/tree"
  nice -n 5 go build -o "$build/tree/bin/rke2" -ldflags "-s -w -X $module.Version=$version -X $module.Commit=$commit \
    -X $module.BuildDate=$(build_date "$version") -X $module.Etcd=$etcd_version" .
  tar --create --owner=0 --group=0 --directory="$build/tree" bin lib | gzip -1 > "$build/rke2.linux-amd64.tar.gz"
  rm -r "$build/tree"
  image_names "$version" > "$build/rke2-images.linux-amd64.txt"
  sed 's/.*/{"RepoTags":["&"]}/' "$build/rke2-images.linux-amd64.txt" | paste -sd, | sed 's/.*/[&]/' > "$build/manifest.json"
  tar --create --owner=0 --group=0 --directory="$build" manifest.json | gzip -1 > "$build/rke2-images.linux-amd64.tar.gz"
  rm "$build/manifest.json"
  (cd "$build" && sha256sum rke2.linux-amd64.tar.gz rke2-images.linux-amd64.{tar.gz,txt} > sha256sum-amd64.txt)
  chmod 755 "$build"
  mv "$build" "$target"
}

if (($# == 0)); then set -- v1.35.4+rke2r1 v1.36.3+rke2r1 v1.36.3+rke2r2; fi
mapfile -t sources < <(find . -type f ! -name '*_test.go' ! -name '*.md' | sort)
key=$({ go version; sha256sum "${sources[@]}"; } | sha256sum | cut -c1-16)
releases=$cache/releases/$key
mkdir -p "$releases"
exec 9> "$releases/.lock"
flock 9
rm -rf "$releases"/.build.*
for version in "$@"; do
  if [[ ! $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+\+rke2r[0-9]+$ ]]; then
    echo "build.sh: $version is no release of RKE2, as v1.35.4+rke2r1" >&2
    exit 2
  fi
  build_release "$version"
done
install -m 755 install/install.sh "$releases/install.sh"
echo "$releases"
