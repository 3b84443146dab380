#!/usr/bin/env bash
# Builds the Kubernetes programs of the rehearsal's nodes into the cache, where they are not there already:
#   kubernetes/<version>/bin/{kube-apiserver,kube-controller-manager,kube-scheduler,kubelet}  links to kube
#   kubernetes/<version>/bin/kubectl
#   kubernetes/<version>/bin/{containerd,crictl,http}  the container runtime's stand-in, which is crictl and a web server too
#   etcd/<version>/bin/{etcd,etcdutl}
# usage: build.sh [VERSION…]     versions as v1.35.4; all that have a VERSION.mod here by default
# The first build of a version takes about 4 minutes on two cores, one after a change of our own sources half a minute.
# The last line of the output is the folder of the last version.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

cache=${RKE2_UPGRADE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rke2-upgrade}
kube_programs=(kube-apiserver kube-controller-manager kube-scheduler kubelet)
export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"

# sources_key FILE…: a hash of all that a build depends on.
sources_key() {
  { go version; sha256sum build.sh "$@"; } | sha256sum | cut -c1-16
}

# up_to_date FOLDER KEY: whether the folder holds the build of these sources.
up_to_date() {
  [[ -f $1/key && $(<"$1/key") == "$2" ]]
}

# new_build FOLDER: makes a temporary folder beside it, in $build; it goes when the script fails.
new_build() {
  build=$(mktemp -d "$(dirname "$1")/.build.XXXXXX")
  chmod 755 "$build"
}
build=
trap 'rm -rf "$build"' EXIT

# lock FOLDER: so that a second call waits for the first, and finds all built. Held until the next lock.
lock() {
  mkdir -p "$(dirname "$1")"
  exec 9> "$1.lock"
  flock 9
}

# install_build FOLDER: puts the finished build in the place of the old one.
install_build() {
  rm -rf "$1.old"
  if [[ -e $1 ]]; then mv "$1" "$1.old"; fi
  mv "$build" "$1"
  rm -rf "$1.old"
}

# version_flags VERSION: the linker's flags that stamp Kubernetes' version, as its own build does.
version_flags() {
  local version=$1 package minor
  minor=${version#v1.}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- '-X %s.gitVersion=%s -X %s.gitMajor=1 -X %s.gitMinor=%s ' \
      "$package" "$version" "$package" "$package" "${minor%%.*}"
    printf -- '-X %s.gitTreeState=clean -X %s.gitCommit=%s ' \
      "$package" "$package" "$(printf 'rehearsal %s' "$version" | sha1sum | cut -c1-40)"
  done
}

# build_kubernetes VERSION
build_kubernetes() {
  local version=$1 target key program
  target=$cache/kubernetes/$version
  mapfile -t sources < <(find cmd cri crictl kubelet node release -name '*.go' ! -name '*_test.go' | sort)
  key=$(sources_key "$version.mod" "$version.sum" "${sources[@]}")
  lock "$target"
  if up_to_date "$target" "$key"; then return; fi
  SECONDS=0
  echo "Kubernetes $version: building (about 4 minutes the first time)"
  new_build "$target"
  # Go does not link anew what is up to date in its place.
  if [[ -d $target/bin ]]; then cp -a "$target/bin" "$build/bin"; else mkdir "$build/bin"; fi
  # An earlier build had it as a link to kube, which go would write through.
  if [[ -L $build/bin/kubectl ]]; then rm "$build/bin/kubectl"; fi
  nice -n 5 go build -modfile="$version.mod" -ldflags "-s -w $(version_flags "$version")" \
    -o "$build/bin/" ./cmd/kube ./cmd/kubectl ./cmd/containerd
  for program in "${kube_programs[@]}"; do ln -sfn kube "$build/bin/$program"; done
  for program in crictl http; do ln -sfn containerd "$build/bin/$program"; done
  echo "$key" > "$build/key"
  install_build "$target"
  echo "Kubernetes $version: built in $SECONDS s"
}

# build_etcd: the version that etcd/go.mod requires.
build_etcd() {
  local version target key
  version=$(sed -n 's|^.*go.etcd.io/etcd/server/v3 \(v[0-9.]*\).*$|\1|p' etcd/go.mod)
  target=$cache/etcd/$version
  key=$(sources_key etcd/go.mod etcd/go.sum)
  lock "$target"
  if up_to_date "$target" "$key"; then return; fi
  echo "etcd $version: building"
  new_build "$target"
  nice -n 5 go -C etcd build -ldflags "-s -w" -o "$build/bin/etcd" go.etcd.io/etcd/server/v3
  nice -n 5 go -C etcd build -ldflags "-s -w" -o "$build/bin/etcdutl" go.etcd.io/etcd/etcdutl/v3
  echo "$key" > "$build/key"
  install_build "$target"
  echo "etcd $version: built in $SECONDS s"
}

# In one function, so that an edit of this file does not reach a build that runs.
main() {
  if (($# == 0)); then
    for file in v*.mod; do set -- "$@" "${file%.mod}"; done
  fi
  for version in "$@"; do
    if [[ ! -f $version.mod ]]; then
      echo "build.sh: there is no $version.mod; versions here: $(echo v*.mod)" >&2
      exit 2
    fi
  done
  build_etcd
  for version in "$@"; do build_kubernetes "$version"; done
  echo "$cache/kubernetes/${*: -1}"
  exit
}
main "$@"
