#!/usr/bin/env bash
# Packs the stand-in for kube-bench as its makers pack theirs, program and cfg/ at the top, the same bytes every time:
#   scan/<key>/{kube-bench_linux_amd64.tar.gz,checksums.txt}
# The last line of the output is that folder.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

cache=${RKE2_UPGRADE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rke2-upgrade}
mapfile -t sources < <(find . -type f ! -name '*.md' | sort)
folder=$cache/scan/$(sha256sum "${sources[@]}" | sha256sum | cut -c1-16)
if [[ ! -d $folder ]]; then
  mkdir -p "$cache/scan"
  build=$(mktemp -d "$cache/scan/.build.XXXXXX")
  tar --create --sort=name --mtime=@0 --owner=0 --group=0 --mode='u+rwX,go+rX,go-w' cfg kube-bench | gzip -n >"$build/kube-bench_linux_amd64.tar.gz"
  (cd "$build" && sha256sum kube-bench_linux_amd64.tar.gz >checksums.txt)
  chmod 755 "$build"
  mv -T "$build" "$folder" 2>/dev/null || rm -rf "$build"
fi
echo "$folder"
