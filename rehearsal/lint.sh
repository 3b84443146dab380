#!/usr/bin/env bash
# Lints the project as CI does: formatting and rules (biome), types (tsc),
# every shell script that git tracks (shellcheck), every Go module (go vet).
# usage: lint.sh (through run.sh, which sets PATH)
set -euo pipefail

biome check .
tsc --noEmit
git ls-files -z '*.sh' | xargs -0 --no-run-if-empty shellcheck
for module in rehearsal/*/go.mod; do
  (cd "$(dirname "$module")" && go vet ./...)
done
