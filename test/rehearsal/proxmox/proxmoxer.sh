#!/usr/bin/env bash
# Installs proxmoxer, at the versions of proxmoxer.txt, into a Python environment in the cache; at once when it is
# there. Prints the environment's Python as its last line.
# usage: proxmoxer.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

python3 -c 'import ensurepip' 2>/dev/null || {
  echo "proxmoxer.sh: Python 3 with venv is missing: apt-get install python3-venv" >&2
  exit 1
}
key=$({ cat proxmoxer.txt; python3 --version; } | sha256sum | cut -c1-12)
readonly cache=${RKE2_UPGRADE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rke2-upgrade}
readonly environment=$cache/proxmoxer/$key

# A venv cannot be moved, so a stamp written last tells a whole one.
if [[ ! -e $environment/complete ]]; then
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement proxmoxer.txt >&2
  touch "$environment/complete"
fi
echo "$environment/bin/python"
