#!/usr/bin/env bash
# Lints the project as CI does: formatting and rules (biome), types (tsc),
# every shell script that git tracks (shellcheck), every Go module (go vet).
# usage: lint.sh (through run.sh, which sets PATH)
set -euo pipefail

# Beside all the rest, which takes as long. It remembers what it has checked; a file is known by its content.
types=$(mktemp)
tsc --noEmit --incremental --tsBuildInfoFile .tsbuildinfo >"$types" 2>&1 &
tsc=$!
trap 'kill "$tsc" 2>/dev/null || true; rm -f "$types"' EXIT

biome check .
git ls-files -z '*.sh' | xargs -0 --no-run-if-empty shellcheck

# The flags of the builds, so that nothing is compiled twice for this.
export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"
while IFS= read -r module; do
  directory=$(dirname "$module")
  # A module that only pins what is built has nothing of its own to vet.
  [[ -n $(git ls-files "$directory/*.go") ]] || continue
  # Kubernetes' module has a file for each version; the sources are the same.
  versions=("$directory"/v*.mod)
  [[ -e ${versions[-1]} ]] && modfile="-modfile=$(basename "${versions[-1]}")" || modfile=-mod=readonly
  # vet would look through all of Kubernetes for the packages that link it, for many minutes: the build checks those.
  packages=(./...)
  [[ $directory != rehearsal/kubernetes ]] || packages=(./cri ./crictl ./node)
  (cd "$directory" && go vet "$modfile" "${packages[@]}")
done < <(git ls-files '*go.mod')

wait "$tsc" || { cat "$types"; exit 1; }
