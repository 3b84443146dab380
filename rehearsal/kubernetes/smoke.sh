#!/usr/bin/env bash
# Boots one server node of each Kubernetes version in turn, in namespaces of its own, and proves what the rehearsal
# builds on: static pods as real processes, Jobs that end, budgets, graces, a runtime that can be killed, an upgrade.
# usage: smoke.sh [FROM TO]     default v1.35.4 v1.36.3; needs root and openssl; two to three minutes once all is built
# Leaves nothing behind: all its processes end with its PID namespace.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
from=${1:-v1.35.4} to=${2:-v1.36.3}
"$here/build.sh" "$from" "$to"

directory=$(mktemp -d /tmp/kubernetes-smoke.XXXXXX)
trap 'rm -rf "$directory"' EXIT
unshare --net --mount --pid --fork --kill-child --mount-proc "$here/smoke/node.sh" "$directory" "$from" "$to"
