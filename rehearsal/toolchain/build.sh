#!/usr/bin/env bash
# Puts Pulumi into the cache: the CLI, the Node.js language host and the plugins that the program uses. What is
# installed officially is linked, the rest is built from the Go modules that go.mod and go.sum pin. A second run
# builds only what has changed. The last line printed is the folder for PATH.
#
# In that folder home/ can serve as PULUMI_HOME: with PULUMI_IGNORE_AMBIENT_PLUGINS=true as well the engine finds the
# same plugins there, without its warning about plugins on PATH.
set -euo pipefail

readonly pulumi_version=3.259.0
declare -Ar plugins=([command]=1.2.1 [kubernetes]=4.34.2)

source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly source
cd "$source"
readonly target=${RKE2_UPGRADE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rke2-upgrade}/toolchain
# Ourselves on PATH must not be taken for an official installation.
official_path=$(tr ':' '\n' <<<"$PATH" | grep -vxF "$target" | paste -sd:)
readonly official_path
readonly official_plugins=${PULUMI_HOME:-$HOME/.pulumi}/plugins

say() { echo "toolchain: $*"; }

# at_least WANTED FOUND: whether version FOUND is WANTED or newer.
at_least() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

# key FILE…: a hash of the files, named from here so that every checkout has the same, and of the Go release.
key() { { go env GOVERSION; sha256sum -- "$@"; } | sha256sum | cut -d ' ' -f 1; }

# link NAME FILE: makes NAME in the cache stand for an installed FILE.
link() {
  say "$1: using the installed $2"
  ln -sfn "$2" "$target/$1"
  rm -f "$target/.keys/$1"
}

# build NAME PACKAGE KEY [LDFLAGS]: builds PACKAGE into the cache as NAME, unless that was built with the same KEY.
build() {
  local name=$1 package=$2 key=$3 ldflags=${4:-}
  if [[ -x $target/$name && $(cat "$target/.keys/$name" 2>/dev/null) == "$key" ]]; then
    say "$name: built before"
    return
  fi
  say "$name: building (the CLI takes some minutes the first time)"
  CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags "-s -w $ldflags" -o "$work/$name" "$package"
  mv -fT "$work/$name" "$target/$name"
  echo "$key" >"$target/.keys/$name"
}

# installed_pulumi: prints the path of a Pulumi CLI on PATH that is recent enough, if there is one.
installed_pulumi() {
  local path version
  path=$(PATH=$official_path command -v pulumi) || return 0
  version=$("$path" version 2>/dev/null) || return 0
  if at_least "$pulumi_version" "${version#v}"; then readlink -f "$path"; fi
}

# installed_plugin NAME VERSION: prints the path of an official resource plugin of exactly that version.
installed_plugin() {
  local path=$official_plugins/resource-$1-v$2/pulumi-resource-$1
  if [[ $official_plugins != "$target/home/plugins" && -x $path ]]; then echo "$path"; fi
}

mkdir -p "$target/.keys"
exec 9>"$target/.lock"
flock 9
work=$(mktemp -d "$target/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT

readonly stamp="-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$pulumi_version"
readonly modules=(go.mod go.sum)

pulumi=$(installed_pulumi)
if [[ -n $pulumi ]]; then
  link pulumi "$pulumi"
else
  build pulumi github.com/pulumi/pulumi/pkg/v3/cmd/pulumi "$(key "${modules[@]}")" "$stamp"
fi

if [[ -n $pulumi && -x $(dirname "$pulumi")/pulumi-language-nodejs ]]; then
  link pulumi-language-nodejs "$(dirname "$pulumi")/pulumi-language-nodejs"
else
  build pulumi-language-nodejs ./cmd/pulumi-language-nodejs \
    "$(key "${modules[@]}" cmd/pulumi-language-nodejs/*.go)" "$stamp"
fi

install -m 755 "$source/bin/pulumi-resource-pulumi-nodejs" "$work/dynamic"
mv -fT "$work/dynamic" "$target/pulumi-resource-pulumi-nodejs"

for name in "${!plugins[@]}"; do
  version=${plugins[$name]} binary=pulumi-resource-$name
  official=$(installed_plugin "$name" "$version")
  if [[ -n $official ]]; then
    link "$binary" "$official"
  else
    build "$binary" "./cmd/$binary" "$(key "${modules[@]}" internal/rpc/*.go "cmd/$binary"/*.go)"
  fi
  home=$target/home/plugins/resource-$name-v$version
  mkdir -p "$home"
  ln -sfn "$target/$binary" "$home/$binary"
done

echo "$target"
